import { Counter, Gauge, Histogram, type Registry } from '@showfloor/service-kit';

/** The figures of recording; part of the plane's. */
export function createRecordingMetrics(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers });
  return {
    recordingsActive: new Gauge({ name: 'media_recording_active', help: 'Shows being recorded', registers }),
    recordingQueueBytes: new Gauge({
      name: 'media_recording_queue_bytes',
      help: 'Recorded media that waits for the disk',
      registers,
    }),
    recordingWriteSeconds: new Histogram({
      name: 'media_recording_write_seconds',
      help: 'Time to write one fragment',
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
    recordedBytes: counter('media_recording_bytes_total', 'Bytes written to recordings'),
    recordedFragments: counter('media_recording_fragments_total', 'Fragments written to recordings'),
    recordingDroppedFragments: counter(
      'media_recording_dropped_fragments_total',
      'Fragments that a recording lost because it stopped',
    ),
    recordingStops: counter('media_recording_stops_total', 'Recordings stopped before their show by reason', [
      'reason',
    ]),
    recordingUnsealed: counter('media_recording_unsealed_total', 'Recordings closed without duration and index'),
    recordingUnsupportedTracks: counter(
      'media_recording_unsupported_tracks_total',
      'Tracks left out of recordings for their codec',
      ['track'],
    ),
  };
}
