/** Rows of the control API: what SRS says of a stream and of a client, and what we add. */
import type { Stream } from '../hub/stream.ts';
import type { RecordingFacts } from '../recording/show-recorder.ts';

const AVC_PROFILES = new Map([
  [66, 'Baseline'],
  [77, 'Main'],
  [88, 'Extended'],
  [100, 'High'],
  [110, 'High(10)'],
  [122, 'High(422)'],
  [244, 'High(444)'],
]);
const HEVC_PROFILES = new Map([
  [1, 'Main'],
  [2, 'Main10'],
  [3, 'MainStillPicture'],
  [4, 'Rext'],
]);
/** `general_level_idc` counts thirtieths. */
const HEVC_LEVEL_UNIT = 30;
const VHOST = '__defaultVhost__';

/** Figures of a stream that are not in it. */
export type StreamFigures = Readonly<{
  /** Publishers and viewers. */
  clients: number;
  sentBytes: number;
  receivedKbps: number;
  sentKbps: number;
  /** Frames per second that came, measured. */
  frameRate: number;
  publisherClientId: string | null;
  /** Facts of the parts that work on the stream, by their name. */
  facts: Readonly<Record<string, unknown>>;
}>;

/** `/api/v1/streams`: SRS's fields first. `live_ms` is the time of the answer, as with SRS. */
export function streamRow(
  stream: Stream,
  app: string,
  figures: StreamFigures,
): { id: string } & Record<string, unknown> {
  const { aac } = stream.format;
  return {
    id: stream.sessionId,
    name: stream.playbackId,
    vhost: VHOST,
    app,
    url: `/${app}/${stream.playbackId}`,
    live_ms: Date.now(),
    clients: figures.clients,
    frames: stream.videoFrames,
    send_bytes: figures.sentBytes,
    recv_bytes: stream.receivedBytes,
    kbps: { recv_30s: figures.receivedKbps, send_30s: figures.sentKbps },
    publish: { active: figures.publisherClientId !== null, cid: figures.publisherClientId ?? '' },
    video: videoFacts(stream, figures.frameRate),
    audio:
      aac === null ? null : { codec: 'AAC', sample_rate: aac.sampleRateHz, channel: aac.channels, profile: aac.codec },
    state: stream.state,
    age_ms: Date.now() - stream.createdAtMs,
    ...figures.facts,
  };
}

/** `frame_rate` is the stream's own word, null when it has none; `fps` is measured. */
function videoFacts({ format }: Stream, fps: number): Record<string, unknown> | null {
  const { avc, hevc } = format;
  if (avc !== null) {
    const { profileIdc, levelIdc, widthPx, heightPx, frameRate } = avc.sps;
    const profile = AVC_PROFILES.get(profileIdc) ?? String(profileIdc);
    const level = String(levelIdc / 10);
    return { codec: 'H264', profile, level, width: widthPx, height: heightPx, frame_rate: frameRate, fps };
  }
  if (hevc !== null) {
    const { profileIdc, levelIdc } = hevc.profile;
    const { widthPx, heightPx, frameRate } = hevc.sps;
    const profile = HEVC_PROFILES.get(profileIdc) ?? String(profileIdc);
    const level = String(levelIdc / HEVC_LEVEL_UNIT);
    return { codec: 'H265', profile, level, width: widthPx, height: heightPx, frame_rate: frameRate, fps };
  }
  return null;
}

/** What a stream's row says of its recording; null when it is not recorded. */
export function recordingFields(facts: RecordingFacts | null): Readonly<Record<string, unknown>> | null {
  if (facts === null) return null;
  const { state, reason, file, bytes, durationMs, queueBytes } = facts;
  return { state, reason, file, bytes, duration_ms: durationMs, queue_bytes: queueBytes };
}

/** A publisher or a viewer of any protocol. */
export type ClientFacts = Readonly<{
  id: string;
  ip: string;
  playbackId: string;
  createdAtMs: number;
  sentBytes: number;
  /** Bytes that wait for it in the server. */
  queuedBytes: number;
  protocol: 'rtmp' | 'flv' | 'hls' | 'llhls';
  /** Null for viewers. */
  receivedBytes: number | null;
}>;

/** SRS's words for what a client does. */
const CLIENT_TYPES = { rtmp: 'fmle-publish', flv: 'flv-play', hls: 'hls-play', llhls: 'hls-play' } as const;

/** `/api/v1/clients`: SRS's fields first; `alive` is the age in seconds. */
export function clientRow(facts: ClientFacts, app: string): { id: string } & Record<string, unknown> {
  return {
    id: facts.id,
    vhost: VHOST,
    stream: facts.playbackId,
    ip: facts.ip,
    url: `/${app}/${facts.playbackId}`,
    name: facts.playbackId,
    type: CLIENT_TYPES[facts.protocol],
    publish: facts.receivedBytes !== null,
    alive: (Date.now() - facts.createdAtMs) / 1000,
    send_bytes: facts.sentBytes,
    recv_bytes: facts.receivedBytes ?? 0,
    protocol: facts.protocol,
    queue_bytes: facts.queuedBytes,
  };
}
