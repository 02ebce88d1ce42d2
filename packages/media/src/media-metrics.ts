import { Counter, Gauge, Histogram, type Registry } from '@showfloor/service-kit';
import { createHlsMetrics } from './hls/hls-metrics.ts';
import { createRecordingMetrics } from './recording/recording-metrics.ts';
import { createRestreamMetrics } from './restream/restream-metrics.ts';

/** The figures of the video plane. Labels are bounded words: never a stream, an address or a key; restream targets go by their id. */
export type MediaMetrics = ReturnType<typeof createMediaMetrics>;

/** Creates and registers all metrics of the plane. Once per registry. */
export function createMediaMetrics(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers });
  return {
    ...createRestreamMetrics(registry),
    ...createHlsMetrics(registry),
    ...createRecordingMetrics(registry),
    rtmpConnections: new Gauge({ name: 'media_rtmp_connections', help: 'Open RTMP connections', registers }),
    publishers: new Gauge({ name: 'media_publishers', help: 'Publishers admitted and connected', registers }),
    streams: new Gauge({ name: 'media_streams', help: 'Streams by state', labelNames: ['state'], registers }),
    subscribers: new Gauge({
      name: 'media_subscribers',
      help: 'Viewers by protocol',
      labelNames: ['protocol'],
      registers,
    }),
    receivedBytes: counter('media_received_bytes_total', 'Bytes read from publishers'),
    sentBytes: counter('media_sent_bytes_total', 'Bytes handed to viewers by protocol', ['protocol']),
    publishes: counter('media_publish_total', 'Publish attempts by outcome', ['outcome']),
    plays: counter('media_play_total', 'Play attempts by protocol and outcome', ['protocol', 'outcome']),
    rtmpEnds: counter('media_rtmp_session_ends_total', 'RTMP connections ended by reason', ['reason']),
    blockedAddresses: new Gauge({
      name: 'media_blocked_addresses',
      help: 'Addresses blocked after refused publishes',
      registers,
    }),
    certificateExpiry: new Gauge({
      name: 'media_tls_certificate_expiry_timestamp_seconds',
      help: 'Until when the certificate of RTMPS is good; 0 without one',
      registers,
    }),
    certificateReloads: counter('media_tls_certificate_reloads_total', 'Changed certificate files by outcome', [
      'outcome',
    ]),
    streamEvents: counter('media_stream_events_total', 'Stream events by type', ['type']),
    unstampedKeyframes: counter('media_unstamped_keyframes_total', 'Keyframes that could not carry the ingest clock'),
    keyframeWaits: counter('media_keyframe_waits_total', 'Publishers whose picture did not begin with a keyframe'),
    unreadableHeaders: counter('media_unreadable_headers_total', 'Sequence headers passed on that we could not read'),
    gopCacheFrames: new Gauge({
      name: 'media_gop_cache_frames',
      help: 'Packets, of sound too, that are kept for joiners',
      registers,
    }),
    gopCacheBytes: new Gauge({ name: 'media_gop_cache_bytes', help: 'Bytes that are kept for joiners', registers }),
    httpConnections: new Gauge({ name: 'media_http_connections', help: 'Open connections of viewers', registers }),
    gopOverflows: counter('media_gop_cache_overflows_total', 'GOPs over the cache bounds: joiners wait for a keyframe'),
    droppedPackets: counter('media_subscriber_dropped_packets_total', 'Packets not sent to a viewer over its bound'),
    skips: counter('media_subscriber_skips_total', 'Times a slow viewer was put to the next keyframe'),
    subscriberEnds: counter('media_subscriber_ends_total', 'Viewers gone by reason', ['reason']),
    roundSeconds: new Histogram({
      name: 'media_flv_round_seconds',
      help: 'Time to write one shared buffer to all viewers of a stream',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2],
      registers,
    }),
    hlsRequests: counter('media_hls_requests_total', 'HLS requests by what was asked for and outcome', [
      'kind',
      'outcome',
    ]),
    hlsHeld: new Gauge({
      name: 'media_hls_held_requests',
      help: 'HLS requests that wait for a part or a playlist',
      registers,
    }),
    hlsReleaseSeconds: new Histogram({
      name: 'media_hls_release_seconds',
      help: 'Time from a part that exists to the last answer that waited for it',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.5],
      registers,
    }),
    hlsConnectionsCut: counter('media_hls_connections_cut_total', 'HLS connections cut by reason', ['reason']),
    hlsViewersUncounted: counter(
      'media_hls_viewers_uncounted_total',
      'HLS requests of viewers beyond the table of viewers',
    ),
    mergeChanges: counter('media_flv_merge_changes_total', 'Changes of the merge level by new level', ['level']),
    hookRequests: counter('media_hook_requests_total', 'Publish hook calls by outcome', ['outcome']),
    hookPosts: counter('media_hook_posts_total', 'Hooks told by action and outcome', ['action', 'outcome']),
    hookQueue: new Gauge({
      name: 'media_hook_queue_length',
      help: 'Hooks waiting to be told',
      labelNames: ['lane'],
      registers,
    }),
    eventDeliveries: counter('media_event_deliveries_total', 'Event deliveries by target and outcome', [
      'target',
      'outcome',
    ]),
    eventQueue: new Gauge({
      name: 'media_event_queue_length',
      help: 'Events waiting for a target',
      labelNames: ['target'],
      registers,
    }),
  };
}
