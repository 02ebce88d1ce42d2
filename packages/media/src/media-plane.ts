import type { IncomingMessage, ServerResponse } from 'node:http';
import { countBug, type Logger, OutboundGuard, type OutboundGuardOptions } from '@showfloor/service-kit';
import { SrsApi } from './control/srs-api.ts';
import { recordingFields } from './control/srs-rows.ts';
import { TrustedProxies } from './delivery/client-address.ts';
import { FlvDelivery } from './delivery/flv-delivery.ts';
import { VIEWER_LIMITS, type ViewerLimits } from './delivery/flv-viewer.ts';
import { HOLD_LIMITS, type HoldLimits } from './delivery/hls-channel.ts';
import { HELD_MAX, HlsDelivery } from './delivery/hls-delivery.ts';
import { HLS_VIEWERS_LIMITS, type HlsViewersLimits } from './delivery/hls-viewers.ts';
import { CONNECTION_LIMITS, type ConnectionLimits, HttpConnections } from './delivery/http-connections.ts';
import { HttpDelivery } from './delivery/http-delivery.ts';
import type { MergeSetting } from './delivery/merge-policy.ts';
import { HLS_OPTIONS, type HlsOptions } from './hls/hls-options.ts';
import { HlsPackagers } from './hls/hls-packagers.ts';
import { SequenceFloor } from './hls/sequence-floor.ts';
import type { MediaHook, ToldAction } from './hooks/media-hooks.ts';
import { GOP_LIMITS, type GopLimits } from './hub/gop-cache.ts';
import { type HubEvent, STREAMS_MAX, StreamHub } from './hub/stream-hub.ts';
import { AdmissionDesk, type Admit } from './ingest/admission.ts';
import { FailedPublishGuard, GUARD_LIMITS, type GuardLimits } from './ingest/failed-publish-guard.ts';
import { PublishDesk } from './ingest/publish-desk.ts';
import { type PublisherRefusal, RefusalNotices } from './ingest/refusal-notices.ts';
import { RTMP_LIMITS, type RtmpLimits } from './ingest/rtmp-limits.ts';
import { RtmpServer } from './ingest/rtmp-server.ts';
import type { TlsCertificate } from './ingest/tls-certificate.ts';
import { WAITING_PEERS_LIMITS, type WaitingPeersLimits } from './ingest/waiting-peers.ts';
import type { MediaMetrics } from './media-metrics.ts';
import type { FinishedRecording } from './recording/show-recorder.ts';
import { type RecordingOptions, ShowRecordings } from './recording/show-recordings.ts';
import { handleRestream, restreamFields } from './restream/restream-api.ts';
import { type RestreamChange, RestreamDesk } from './restream/restream-desk.ts';
import type { RestreamLimits } from './restream/restreamer.ts';

const SAMPLE_INTERVAL_MS = 2_500;
const KEEP_ALIVE_MS = 3_000;
const GRACE_MS = 120_000;
const CONNECTIONS_MAX = 5_000;
const MERGE_CEILING_MS = 100;
const CERTIFICATE_RELOAD_MS = 10_000;

export type MediaPlaneOptions = Readonly<{
  host: string;
  rtmpPort: number;
  /** RTMPS beside RTMP. The plane watches the certificate for renewals and stops that with itself. */
  rtmps?: Readonly<{ port: number; certificate: TlsCertificate; reloadIntervalMs?: number }>;
  httpPort: number;
  /** Says who may publish. */
  admit: Admit;
  /** Told of started, interrupted, resumed and ended, in order. */
  onEvent: (event: HubEvent) => void;
  log: Logger;
  metrics: MediaMetrics;
  serverId: string;
  /** RTMP app; `live`. */
  app?: string;
  /** Grace window when the admission names none; 120 s. */
  graceMs?: number;
  /** Publishers and viewers together; 5,000. */
  connectionsMax?: number;
  streamsMax?: number;
  rivalWindowMs?: number;
  /** How packets share writes; `auto`. */
  merge?: MergeSetting;
  mergeCeilingMs?: number;
  keepAliveMs?: number;
  /** Told of publishers that left and of viewers that came and went. It must not wait and must not throw. */
  onHook?: (hook: MediaHook) => void;
  /** Told of encoders that had the right key and were turned away, for the seller. */
  onPublisherRefused?: (refusal: PublisherRefusal) => void;
  /** Proxies whose `X-Forwarded-For` is believed; none. */
  trustedProxies?: TrustedProxies;
  /** Segments, parts and how long they are kept. */
  hls?: Partial<HlsOptions>;
  /** Where the highest HLS media sequence is remembered over restarts; in memory when not given. */
  hlsSequenceFile?: string;
  /** HLS requests held at once; 20,000. */
  hlsHeldMax?: number;
  hlsHold?: Partial<HoldLimits>;
  hlsConnection?: Partial<ConnectionLimits>;
  hlsViewers?: Partial<HlsViewersLimits>;
  gop?: Partial<GopLimits>;
  viewerLimits?: Partial<ViewerLimits>;
  rtmpLimits?: Partial<RtmpLimits>;
  guardLimits?: Partial<GuardLimits>;
  /** Connections that do not publish, per network. */
  waitingPeers?: Partial<WaitingPeersLimits>;
  /** Where shows are recorded whose admission asks for it; nothing is recorded without. */
  recording?: RecordingOptions;
  /** A file of a recording is finished: its show is over, its configuration changed, or the disk had enough. */
  onRecordingFinished?: (recording: FinishedRecording) => void;
  /** What restream targets may lead to besides public addresses. */
  outbound?: Omit<OutboundGuardOptions, 'ingestPorts'>;
  restreamLimits?: Partial<RestreamLimits>;
  /** Certificate authority of restream targets instead of the usual ones, PEM. */
  restreamCa?: string;
  /** Told of restream targets that turn active, break or stop. */
  onRestreamChange?: (change: RestreamChange) => void;
}>;

/** A running video plane. */
export type MediaPlane = Readonly<{
  rtmpPort: number;
  /** Null without a certificate. */
  rtmpsPort: number | null;
  httpPort: number;
  hub: StreamHub;
  /** Routes for the admin listener: true when it has answered. */
  handleAdmin: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Viewers connected now. */
  viewers: () => readonly Readonly<{ id: string; playbackId: string; backlogBytes: number }>[];
  /** Facts for the heartbeat. */
  summaries: () => unknown;
  /** False from the moment `close` was called. */
  isListening: () => boolean;
  /** Cuts publishers and viewers; tells `interrupted` and no `ended`, because a restart resumes the shows. */
  close: () => Promise<void>;
}>;

/** Builds ingest ← hub → delivery and listens. Throws StartError when a port cannot be had. */
export async function startMediaPlane(options: MediaPlaneOptions): Promise<MediaPlane> {
  const { metrics, log, host } = options;
  const app = options.app ?? 'live';
  const gop = { ...GOP_LIMITS, ...options.gop };
  const streamsMax = options.streamsMax ?? STREAMS_MAX;
  const connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX;
  let isClosing = false;
  const admissions = new AdmissionDesk(options.admit, options.graceMs ?? GRACE_MS);
  const ingestPorts: number[] = []; // known once we listen
  const restreams = new RestreamDesk({
    guard: new OutboundGuard({ ...options.outbound, ingestPorts }),
    metrics,
    log,
    ...(options.restreamLimits === undefined ? {} : { limits: options.restreamLimits }),
    ...(options.restreamCa === undefined ? {} : { ca: options.restreamCa }),
    ...(options.onRestreamChange === undefined ? {} : { onChange: options.onRestreamChange }),
  });
  const recordings = recordingsOf(options);
  const hub = new StreamHub({
    gop,
    streamsMax,
    ...(options.rivalWindowMs === undefined ? {} : { rivalWindowMs: options.rivalWindowMs }),
    onGopOverflow: () => metrics.gopOverflows.inc(),
    onUnreadableHeader: () => metrics.unreadableHeaders.inc(),
    onOutputFailed: (playbackId, error) => {
      countBug();
      log.error({ err: error, playbackId }, 'output.failed');
    },
    onStarted: (stream, admission) => {
      restreams.started(stream, admission);
      recordings?.start(stream, admission);
    },
    onReadmitted: (stream, admission) => {
      restreams.readmitted(stream, admission);
      recordings?.readmitted(stream, admission);
    },
    onEvent: (event) => {
      metrics.streamEvents.inc({ type: event.type });
      log.info(event, `stream.${event.type}`);
      if (event.type === 'started') startHls(event.playbackId);
      if (event.type === 'ended') {
        admissions.forget(event.playbackId);
        restreams.ended(event.playbackId);
        packagers.ended(event.playbackId);
      }
      options.onEvent(event);
    },
  });
  const guard = new FailedPublishGuard({ ...GUARD_LIMITS, ...options.guardLimits });
  const tell = (action: ToldAction, who: { id: string; ip: string; playbackId: string }): void =>
    options.onHook?.({ action, client_id: who.id, ip: who.ip, app, stream: who.playbackId });
  const flv = new FlvDelivery({
    onViewer: tell,
    metrics,
    log,
    gop,
    viewerLimits: { ...VIEWER_LIMITS, ...options.viewerLimits },
    merge: options.merge ?? 'auto',
    mergeCeilingMs: options.mergeCeilingMs ?? MERGE_CEILING_MS,
    keepAliveMs: options.keepAliveMs ?? KEEP_ALIVE_MS,
  });
  const publisherCount = (): number => hub.list().filter((entry) => entry.publisherClientId !== null).length;
  const connections = new HttpConnections();
  const hasRoom = (): boolean => flv.viewerCount + connections.hlsCount + publisherCount() < connectionsMax;
  const notices = new RefusalNotices((refusal) => options.onPublisherRefused?.(refusal));
  const desk = new PublishDesk({ hub, admissions, guard, metrics, log, hasRoom, notices });
  const rtmp = new RtmpServer(
    {
      desk,
      notices,
      metrics,
      log,
      limits: { ...RTMP_LIMITS, ...options.rtmpLimits },
      app,
      onUnpublish: (publisher) => tell('on_unpublish', publisher),
    },
    { streamsMax, waitingPeers: { ...WAITING_PEERS_LIMITS, ...options.waitingPeers } },
  );
  const proxies = options.trustedProxies ?? new TrustedProxies([]);
  const floor = new SequenceFloor(options.hlsSequenceFile ?? null, (error) =>
    log.warn({ err: error }, 'hls_sequence.not_written'),
  );
  const packagers = new HlsPackagers({ hls: { ...HLS_OPTIONS, ...options.hls }, metrics, streamsMax, floor });
  const hls = new HlsDelivery({
    onViewer: tell,
    sources: packagers,
    connections,
    proxies,
    metrics,
    log,
    hasRoom,
    heldMax: options.hlsHeldMax ?? HELD_MAX,
    hold: { ...HOLD_LIMITS, ...options.hlsHold },
    connection: { ...CONNECTION_LIMITS, ...options.hlsConnection },
    viewers: { ...HLS_VIEWERS_LIMITS, ...options.hlsViewers },
  });
  const startHls = (playbackId: string): void => {
    const stream = hub.find(playbackId);
    if (stream === undefined) return;
    packagers.start(stream);
  };
  const http = new HttpDelivery({ hub, flv, hls, connections, proxies, metrics, hasRoom, connectionsMax });
  const api = new SrsApi({
    hub,
    rtmp,
    flv,
    hls,
    viewerConnections: () => flv.viewerCount + connections.hlsCount,
    app,
    serverId: options.serverId,
    forgetKey: (playbackId) => admissions.forget(playbackId),
    facts: {
      hls: (playbackId) => hls.factsOf(playbackId),
      recording: (playbackId) => recordingFields(recordings?.facts(playbackId) ?? null),
      restream: (playbackId) => restreams.factsOf(playbackId).map(restreamFields),
    },
  });
  const sample = (): void => {
    api.sample();
    packagers.sample();
    metrics.rtmpConnections.set(rtmp.connectionCount);
    metrics.blockedAddresses.set(guard.blockedCount);
    metrics.httpConnections.set(connections.count);
    const packets = hub.list().flatMap(({ stream }) => stream.gop);
    metrics.gopCacheFrames.set(packets.length);
    metrics.gopCacheBytes.set(packets.reduce((bytes, { payload }) => bytes + payload.length, 0));
    const states = hub.list().map((entry) => entry.stream.state);
    for (const state of ['pending', 'live', 'interrupted'] as const) {
      metrics.streams.set({ state }, states.filter((one) => one === state).length);
    }
  };
  const rtmpPort = await rtmp.listen({ host, port: options.rtmpPort });
  const rtmpsPort = options.rtmps === undefined ? null : await listenRtmps(rtmp, options.rtmps, options);
  ingestPorts.push(rtmpPort, ...(rtmpsPort === null ? [] : [rtmpsPort]));
  const httpPort = await http.listen({ host, port: options.httpPort });
  const timer = setInterval(sample, SAMPLE_INTERVAL_MS);
  return {
    rtmpPort,
    rtmpsPort,
    httpPort,
    hub,
    handleAdmin: (request, response) => handleRestream(restreams, request, response) || api.handle(request, response),
    viewers: () => flv.viewers(),
    summaries: () => api.summaries(),
    isListening: () => !isClosing,
    close: async () => {
      isClosing = true;
      clearInterval(timer);
      options.rtmps?.certificate.close();
      hub.close();
      restreams.close();
      await Promise.all([rtmp.close(), http.close(), recordings?.close()]);
      packagers.close();
    },
  };
}

function recordingsOf(options: MediaPlaneOptions): ShowRecordings | null {
  if (options.recording === undefined) return null;
  const { metrics, log } = options;
  const onFinished = options.onRecordingFinished ?? (() => undefined);
  return new ShowRecordings({ ...options.recording, metrics, log, onFinished });
}

async function listenRtmps(
  rtmp: RtmpServer,
  { port, certificate, reloadIntervalMs }: NonNullable<MediaPlaneOptions['rtmps']>,
  { host, metrics, log }: MediaPlaneOptions,
): Promise<number> {
  const bound = await rtmp.listen({ host, port }, certificate);
  metrics.certificateExpiry.set(certificate.expiresAtMs / 1000);
  certificate.watch(reloadIntervalMs ?? CERTIFICATE_RELOAD_MS, ({ outcome, detail }) => {
    metrics.certificateReloads.inc({ outcome });
    metrics.certificateExpiry.set(certificate.expiresAtMs / 1000);
    if (outcome === 'reloaded') log.info({ expiresAt: detail }, 'certificate.reloaded');
    else log.warn({ detail }, 'certificate.refused');
  });
  return bound;
}
