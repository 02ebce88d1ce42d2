import { Counter, Gauge, Histogram, type Registry } from '@showfloor/service-kit';

/** The figures of HLS packaging; what is done for viewers is counted by delivery. */
export type HlsMetrics = ReturnType<typeof createHlsMetrics>;

/** Creates and registers them. Once per registry. */
export function createHlsMetrics(registry: Registry) {
  const registers = [registry];
  return {
    hlsStreams: new Gauge({
      name: 'media_hls_streams',
      help: 'Streams by state of their HLS: opening (no segment yet), live, ended, or why there is none',
      labelNames: ['state'],
      registers,
    }),
    hlsSegmentAge: new Gauge({
      name: 'media_hls_segment_age_seconds',
      help: 'Longest time since a segment was finished, of the streams on air',
      registers,
    }),
    hlsRetainedBytes: new Gauge({ name: 'media_hls_retained_bytes', help: 'Segments and parts in memory', registers }),
    hlsPartDelaySeconds: new Histogram({
      name: 'media_hls_part_delay_seconds',
      help: "How long after the due time of its last frame a part was there; the publisher's jitter is in it",
      buckets: [0.001, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5],
      registers,
    }),
    hlsParts: new Counter({ name: 'media_hls_parts_total', help: 'Parts made', registers }),
    hlsSegments: new Counter({ name: 'media_hls_segments_total', help: 'Segments finished', registers }),
    hlsGaps: new Counter({
      name: 'media_hls_gaps_total',
      help: 'Irregularities of the media by kind',
      labelNames: ['kind'],
      registers,
    }),
    hlsReconfigurations: new Counter({
      name: 'media_hls_reconfigurations_total',
      help: 'Changes of codec, size or tracks within a stream: a discontinuity and another init segment each',
      registers,
    }),
    hlsEvictions: new Counter({
      name: 'media_hls_evictions_total',
      help: 'Let go early because of the bounds of bytes: of a stream (opening, segment) or of all (ended, segment)',
      labelNames: ['what'],
      registers,
    }),
  };
}
