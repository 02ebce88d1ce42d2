import { join, resolve } from 'node:path';
import {
  createMediaMetrics,
  createPublishHook,
  EventCourier,
  HookPoster,
  startHeartbeat,
  startMediaPlane,
  TlsCertificate,
  toPublisherRefused,
  toRestreamEvent,
  toStreamEvent,
} from '@showfloor/media';
import { LIVE_EVENTS_PATH } from '@showfloor/protocol';
import {
  createLogger,
  createMetrics,
  describeConfig,
  loadSecrets,
  runService,
  type Service,
  startAdminServer,
  yieldToMainThread,
} from '@showfloor/service-kit';
import { type Config, loadConfig, VARIABLES } from './config.ts';

/** The admin listener is never opened to the network, whatever HOST says (bar S16). */
const ADMIN_HOST = '127.0.0.1';
/** How long events may take to reach commerce and realtime at the stop. */
const COURIER_DRAIN_MS = 2_000;

async function start(): Promise<Service> {
  const config = loadConfig();
  const log = createLogger('media', config.LOG_LEVEL);
  const registry = createMetrics('media');
  const metrics = createMediaMetrics(registry);
  const { webhookSecret: secret } = loadSecrets(config.DATA_DIR);
  const neighbour = neighbourHost(config.HOST);
  const commerceUrl = config.MEDIA_COMMERCE_URL || `http://${neighbour}:${config.COMMERCE_PORT}`;
  const realtimeUrl = config.MEDIA_REALTIME_URL || `http://${neighbour}:${config.REALTIME_PORT}`;
  const targets = [
    { name: 'commerce', url: `${commerceUrl}${LIVE_EVENTS_PATH}` },
    { name: 'realtime', url: `${realtimeUrl}${LIVE_EVENTS_PATH}` },
  ];
  const couriers = config.MEDIA_NOTIFY
    ? targets.map((target) => new EventCourier(target, { secret, metrics, log }))
    : [];
  // Apart from the stream events: targets and encoders that come and go must not push those out of a full queue.
  const sellersCourier = new EventCourier(
    { name: 'commerce_sellers', url: `${commerceUrl}${LIVE_EVENTS_PATH}` },
    { secret, metrics, log },
  );
  const hooks = new HookPoster({
    baseUrl: `${commerceUrl}/api/streaming/hooks`,
    secret,
    wanted: config.MEDIA_NOTIFY ? config.MEDIA_HOOKS : new Set(),
    metrics,
    log,
  });
  const plane = await startMediaPlane({
    ...planeOptions(config),
    onHook: (hook) => hooks.send(hook),
    onPublisherRefused: (refusal) => {
      if (config.MEDIA_NOTIFY) sellersCourier.send(toPublisherRefused(refusal));
    },
    onRecordingFinished: ({ showId, playbackId, file }) =>
      hooks.send({
        action: 'on_dvr',
        client_id: showId, // of a show, however many publishers it had
        ip: '',
        app: 'live',
        stream: playbackId,
        cwd: recordingsFolder(config),
        file: `./${showId}/${file}`,
      }),
    admit: createPublishHook({
      url: config.MEDIA_PUBLISH_HOOK_URL || `${commerceUrl}/api/streaming/hooks/on_publish`,
      secret,
      metrics,
      log,
    }),
    onEvent: (event) => {
      const streamEvent = toStreamEvent(event);
      for (const courier of couriers) courier.send(streamEvent);
    },
    onRestreamChange: (change) => {
      if (config.MEDIA_NOTIFY) sellersCourier.send(toRestreamEvent(change));
    },
    log,
    metrics,
  });
  const stopHeartbeat = config.MEDIA_NOTIFY
    ? startHeartbeat({ url: `${commerceUrl}/api/streaming/srs-heartbeat`, secret, summaries: plane.summaries })
    : null;
  const admin = await startAdminServer({
    host: ADMIN_HOST,
    port: config.MEDIA_ADMIN_PORT,
    registry,
    checks: { listening: plane.isListening },
    handle: plane.handleAdmin,
  });
  return {
    log,
    close: async () => {
      stopHeartbeat?.();
      await plane.close(); // tells of the interruptions
      await Promise.all([...couriers, sellersCourier, hooks].map((courier) => courier.drain(COURIER_DRAIN_MS)));
      admin.closeAllConnections();
      admin.close();
    },
  };
}

/** Where a process of this machine listens that was given the same HOST. */
function neighbourHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function rtmpsOptions(config: Config) {
  const files = { certFile: config.MEDIA_TLS_CERT_FILE, keyFile: config.MEDIA_TLS_KEY_FILE };
  return { port: config.MEDIA_RTMPS_PORT, certificate: new TlsCertificate(files) };
}

function recordingsFolder(config: Config): string {
  return join(resolve(config.DATA_DIR), 'recordings');
}

function recordingOptions(config: Config) {
  return {
    folder: recordingsFolder(config),
    limits: {
      showBytesMax: config.MEDIA_RECORDING_BYTES_MAX,
      queueBytesMax: config.MEDIA_RECORDING_QUEUE_BYTES_MAX,
      totalQueueBytesMax: config.MEDIA_RECORDING_TOTAL_QUEUE_BYTES_MAX,
      freePercentMin: config.MEDIA_RECORDING_FREE_PERCENT_MIN,
    },
  };
}

function planeOptions(config: Config) {
  return {
    host: config.HOST,
    rtmpPort: config.MEDIA_RTMP_PORT,
    ...(config.MEDIA_RTMPS_PORT === 0 ? {} : { rtmps: rtmpsOptions(config) }),
    httpPort: config.MEDIA_HTTP_PORT,
    serverId: config.MEDIA_SERVER_ID,
    graceMs: config.MEDIA_GRACE_MS,
    connectionsMax: config.MEDIA_CONNECTIONS_MAX,
    streamsMax: config.MEDIA_STREAMS_MAX,
    merge: config.MEDIA_MERGE,
    mergeCeilingMs: config.MEDIA_MERGE_CEILING_MS,
    hlsHeldMax: config.MEDIA_HLS_HELD_MAX,
    trustedProxies: config.MEDIA_TRUSTED_PROXIES,
    outbound: {
      allowedNetworks: config.OUTBOUND_ALLOWED_NETWORKS,
      allowedPorts: config.OUTBOUND_ALLOWED_PORTS,
    },
    ...(config.MEDIA_RECORDING ? { recording: recordingOptions(config) } : {}),
    gop: { packetsMax: config.MEDIA_GOP_PACKETS_MAX, bytesMax: config.MEDIA_GOP_BYTES_MAX },
    viewerLimits: {
      backlogBytesHigh: config.MEDIA_VIEWER_BACKLOG_BYTES_MAX,
      backlogMsMax: config.MEDIA_VIEWER_BACKLOG_MS_MAX,
      stuckMsMax: config.MEDIA_VIEWER_STUCK_MS_MAX,
    },
    hls: {
      isEnabled: config.MEDIA_HLS,
      segmentMs: config.MEDIA_HLS_SEGMENT_MS,
      windowSegments: config.MEDIA_HLS_WINDOW_SEGMENTS,
      partMs: config.MEDIA_HLS_PART_MS,
      bytesMax: config.MEDIA_HLS_BYTES_MAX,
      bytesTotalMax: config.MEDIA_HLS_BYTES_TOTAL_MAX,
      lingerMs: config.MEDIA_HLS_LINGER_MS,
    },
    hlsSequenceFile: join(config.DATA_DIR, 'hls-sequence'),
    rtmpLimits: {
      handshakeTimeoutMs: config.MEDIA_HANDSHAKE_TIMEOUT_MS,
      firstPacketTimeoutMs: config.MEDIA_FIRST_PACKET_TIMEOUT_MS,
      silenceTimeoutMs: config.MEDIA_SILENCE_TIMEOUT_MS,
    },
  };
}

if (process.argv.includes('--help')) {
  process.stdout.write(`media-server: RTMP in, HTTP-FLV and HLS out\n\n${describeConfig(VARIABLES)}\n`);
} else {
  yieldToMainThread();
  await runService(start);
}
