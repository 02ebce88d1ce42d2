/** The video plane: RTMP ingest, stream hub, HTTP-FLV delivery, SRS-compatible control API and hooks. */
export { VIEWER_LIMITS, type ViewerLimits } from './delivery/flv-viewer.ts';
export { EventCourier, type EventTarget } from './hooks/event-courier.ts';
export { startHeartbeat } from './hooks/heartbeat.ts';
export { createPublishHook } from './hooks/publish-hook.ts';
export { toStreamEvent } from './hooks/stream-event.ts';
export type { GopLimits } from './hub/gop-cache.ts';
export type { HubEvent } from './hub/stream-hub.ts';
export type { Admit, AdmitAnswer, AdmitRequest } from './ingest/admission.ts';
export type { GuardLimits } from './ingest/failed-publish-guard.ts';
export type { RtmpLimits } from './ingest/rtmp-limits.ts';
export { type CertificateFiles, TlsCertificate } from './ingest/tls-certificate.ts';
export type { WaitingPeersLimits } from './ingest/waiting-peers.ts';
export { createMediaMetrics, type MediaMetrics } from './media-metrics.ts';
export { type MediaPlane, type MediaPlaneOptions, startMediaPlane } from './media-plane.ts';
export type { RestreamChange } from './restream/restream-desk.ts';
export { toRestreamEvent } from './restream/restream-event.ts';
export type { RestreamLimits } from './restream/restreamer.ts';
