import { randomBytes } from 'node:crypto';
import {
  encodeFmp4Fragment,
  encodeFmp4Init,
  encodeMediaPlaylist,
  encodeMultivariantPlaylist,
  type Fmp4TrackRun,
  readFlvAudioHeader,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import type { MediaPacket } from '../hub/media-packet.ts';
import type { Stream, StreamOutput } from '../hub/stream.ts';
import { BandwidthMeter } from './bandwidth-meter.ts';
import type { HlsMetrics } from './hls-metrics.ts';
import type { HlsOptions } from './hls-options.ts';
import { type HlsAudio, type HlsProblem, type HlsVideo, readHlsAudio, readHlsVideo } from './hls-tracks.ts';
import { OPENING_MS_MAX, Opening, type Verdict } from './opening.ts';
import { measureFrameMs, partTargetMsOf, segmentTargets, TICKS_PER_MS } from './part-plan.ts';
import { PictureSegmenter } from './picture-segmenter.ts';
import { type HlsObject, SegmentStore } from './segment-store.ts';
import type { HlsFrame, MediaPart, Segmenter, SegmenterSink, SegmenterStart, SegmentPlan } from './segmenter.ts';
import { silentAacFrame } from './silent-aac.ts';
import { SoundQueue } from './sound-queue.ts';
import { SoundSegmenter } from './sound-segmenter.ts';

export type { HlsProblem } from './hls-tracks.ts';
export type { HlsObject } from './segment-store.ts';

/** What viewers may be told now. Immutable: replaced whole when a part is added, a segment ends or the stream ends. */
export type HlsWindow = Readonly<{
  /** The newest part that exists: its media sequence number and its index in that segment. */
  lastMsn: number;
  lastPart: number;
  /** The newest segment that is whole: what `_HLS_msn` without `_HLS_part` waits for. `lastMsn`, or one less. */
  lastWholeMsn: number;
  playlist: Buffer;
  multivariant: Buffer;
  targetDurationMs: number;
  partTargetMs: number;
  isEnded: boolean;
}>;

export type HlsPackagerOptions = Readonly<{
  hls: HlsOptions;
  metrics: HlsMetrics;
  /** First media sequence number and first discontinuity sequence number; above all of earlier runs. */
  firstSequence: number;
}>;

type Tracks = Readonly<{ video: HlsVideo | null; audio: HlsAudio | null }>;

/** What is fixed with the first segment. */
type Targets = Readonly<{ targetDurationMs: number; segmentMsMax: number; partTargetMs: number; frameMs: number }>;

const PLAYLIST_NAME = 'index.m3u8';
/** Classic players stay this many target durations behind, low-latency players as many part targets. Spec: 4.4.3.8. */
const HOLD_BACK_TARGETS = 3;
/** Segments that list their parts, the open one included: three target durations. Spec: 4.4.4.9. */
const SEGMENTS_WITH_PARTS = 3;
const RUN_ID_BYTES = 5;
/** How fast the earliest arrival is forgotten that parts are measured against: publishers' clocks drift. */
const BASELINE_RISE = 1 / 1_000;

/**
 * Cuts one stream into CMAF segments and parts, kept in memory. Attaches itself to the stream; `dispose` detaches. Pictures and
 * sound travel in the same segments; parts are cut at pictures.
 */
export class HlsPackager implements StreamOutput {
  readonly #stream: Stream;
  readonly #hls: HlsOptions;
  readonly #metrics: HlsMetrics;
  readonly #playbackId: string;
  readonly #store: SegmentStore;
  readonly #listeners = new Set<() => void>();
  #opening: Opening | null;
  #segmenter: Segmenter | null = null;
  #tracks: Tracks = { video: null, audio: null };
  #targets: Targets | null = null;
  #bandwidth: BandwidthMeter | null = null;
  #videoProblem: HlsProblem | null = null;
  #audioProblem: HlsProblem | null = null;
  /** Headers that came and are not in the init segment yet. */
  #isStale = { video: false, audio: false };
  #hasSoundWaiting = false;
  #lastPictureMs = 0;
  #fragments = 0;
  #newest = { msn: 0, part: -1 };
  #window: HlsWindow | null = null;
  #multivariant: Buffer = Buffer.alloc(0);
  #isDirty = false;
  #isEnded = false;
  #segmentEndedAtMs: number;
  #arrival: { atMs: number; timestampMs: number; leastDelayMs: number } | null = null;

  constructor(stream: Stream, options: HlsPackagerOptions) {
    const { hls, metrics, firstSequence } = options;
    this.#stream = stream;
    this.#playbackId = stream.playbackId;
    this.#hls = hls;
    this.#metrics = metrics;
    this.#store = new SegmentStore({
      runId: randomBytes(RUN_ID_BYTES).toString('hex'),
      firstSequence,
      windowSegments: hls.windowSegments,
      bytesMax: hls.bytesMax,
      onEvicted: () => metrics.hlsEvictions.inc({ what: 'segment' }),
    });
    this.#opening = new Opening(hls.segmentMs, hls.bytesMax, () => metrics.hlsEvictions.inc({ what: 'opening' }));
    this.#segmentEndedAtMs = performance.now();
    const { video, audio } = stream.headers;
    if (video !== null) this.#takeHeader(video, 'video');
    if (audio !== null) this.#takeHeader(audio, 'audio');
    stream.attach(this);
  }

  /** Null until the first segment is whole. */
  get window(): HlsWindow | null {
    return this.#window;
  }

  /** Null while everything that the publisher sends is in the segments. With a problem of its video a stream has no HLS. */
  get problem(): HlsProblem | null {
    return this.#videoProblem ?? this.#audioProblem;
  }

  /** Bytes of media in memory. */
  get retainedBytes(): number {
    return this.#store.bytes + (this.#opening?.bytes ?? 0);
  }

  /** Number of the segment that is being made. */
  get nextMsn(): number {
    return this.#store.openMsn;
  }

  /** Time since a segment was finished, or since the start. */
  segmentAgeMs(nowMs: number): number {
    return nowMs - this.#segmentEndedAtMs;
  }

  /** `name` is what follows `/live/{id}/`. 'pending': the hinted next part, or the first part of the next segment. */
  object(name: string): HlsObject | 'pending' | undefined {
    const there = this.#store.object(name);
    if (there !== undefined || this.#window === null || this.#isEnded) return there;
    const { openMsn, openPartCount } = this.#store;
    const isNext = name === this.#store.partName(openMsn, openPartCount);
    return isNext || name === this.#store.partName(openMsn + 1, 0) ? 'pending' : undefined;
  }

  /** Calls back after every change of `window`, synchronously: do little. Returns the unsubscribe. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets everything go. Listeners are not called again. */
  dispose(): void {
    this.#stream.detach(this);
    this.#listeners.clear();
    this.#store.clear();
    this.#opening = null;
    this.#segmenter = null;
    this.#window = null;
  }

  packet(packet: MediaPacket): void {
    if (this.#isEnded || packet.track === 'script') return;
    if (packet.kind === 'sequence-header') this.#takeHeader(packet, packet.track);
    if (packet.kind !== 'frames') return;
    const frame = packet.track === 'video' ? this.#readPicture(packet) : this.#readSound(packet);
    if (frame === null) return;
    this.#noteArrival(frame);
    if (this.#segmenter === null) this.#open(frame);
    else this.#feed(frame);
    this.#publish();
  }

  tracksChanged(): void {
    const { video, audio } = this.#stream.headers;
    if (this.#segmenter === null) return;
    if (video === null && this.#tracks.video !== null) this.#goOnWithSound();
    // Without sound it goes on in silence, if there is silence for its codec: players cannot let go of a track.
    else if (audio === null && this.#tracks.audio !== null && silenceOf(this.#tracks.audio) === null) {
      this.#isStale.audio = true;
    }
    this.#publish();
  }

  interrupted(): void {
    this.#cut();
  }

  sourceChanged(): void {
    this.#cut(); // the wall clock jumps here, and each segment names its own
  }

  resumed(): void {
    this.#arrival = null;
    this.#segmentEndedAtMs = performance.now();
  }

  ended(): void {
    this.#segmenter?.flush();
    this.#isEnded = true;
    this.#isDirty = true;
    this.#publish();
  }

  #cut(): void {
    this.#segmenter?.flush();
    this.#publish();
  }

  #noteArrival({ timestampMs }: HlsFrame): void {
    const atMs = performance.now();
    const delayMs = atMs - timestampMs;
    const before = this.#arrival;
    const risenMs = before === null ? delayMs : before.leastDelayMs + (atMs - before.atMs) * BASELINE_RISE;
    this.#arrival = { atMs, timestampMs, leastDelayMs: Math.min(risenMs, delayMs) };
  }

  #readPicture(packet: MediaPacket): HlsFrame | null {
    const { codec, compositionTimeMs, dataOffset } = readFlvVideoHeader(packet.payload);
    if (codec !== 'avc' && codec !== 'hevc') this.#videoProblem = 'video_codec';
    if (this.#videoProblem !== null) return null;
    const data = packet.payload.subarray(dataOffset);
    if (data.length === 0) return null;
    const { timestampMs, isKeyframe } = packet;
    return { track: 'video', timestampMs, compositionMs: compositionTimeMs, isKeyframe, data };
  }

  #readSound(packet: MediaPacket): HlsFrame | null {
    const { codec, dataOffset } = readFlvAudioHeader(packet.payload);
    if (codec !== 'aac') this.#audioProblem = 'audio_codec';
    const data = packet.payload.subarray(dataOffset);
    if (this.#audioProblem !== null || data.length === 0) return null;
    return { track: 'audio', timestampMs: packet.timestampMs, compositionMs: 0, isKeyframe: true, data };
  }

  /** A header that says what is known already (the same encoder came back) changes nothing. */
  #takeHeader(header: MediaPacket, track: 'video' | 'audio'): void {
    const read = track === 'video' ? readHlsVideo(header) : readHlsAudio(header);
    const problem = typeof read === 'string' ? read : null;
    if (track === 'video') this.#videoProblem = problem;
    else this.#audioProblem = problem;
    if (problem !== null && track === 'video') this.#opening?.clear();
    const known = this.#tracks[track]?.track.config;
    const isKnown = typeof read !== 'string' && known !== undefined && Buffer.compare(known, read.track.config) === 0;
    this.#isStale[track] = !isKnown;
  }

  #open(frame: HlsFrame): void {
    const { video, audio } = this.#stream.headers;
    if (this.#videoProblem !== null || this.#opening === null) return;
    if (frame.track === 'audio' ? audio === null : video === null) return;
    const verdict = this.#opening.push(frame, video !== null);
    if (verdict === null) return;
    this.#opening = null;
    this.#begin(verdict);
  }

  #begin(verdict: Verdict): void {
    const tracks = this.#tracksOf(verdict.kind);
    const { segmentMs, partMs } = this.#hls;
    if (verdict.kind === 'picture') {
      const times = verdict.frames.filter(({ track }) => track === 'video').map(({ timestampMs }) => timestampMs);
      const frameMs = measureFrameMs(times, tracks.video?.frameRate ?? null);
      const partTargetMs = partTargetMsOf(frameMs, partMs, segmentMs);
      this.#targets = { ...segmentTargets(verdict.segmentMs), partTargetMs, frameMs };
    } else {
      const frameMs = soundFrameMs(tracks.audio);
      const partTargetMs = partTargetMsOf(frameMs, partMs, segmentMs);
      this.#targets = { ...segmentTargets(segmentMs + partTargetMs), partTargetMs, frameMs };
    }
    this.#bandwidth = new BandwidthMeter(this.#targets.targetDurationMs);
    const hasSound = verdict.frames.some(({ track }) => track === 'audio');
    this.#configure(tracks, this.#targets, { offsetTicks: 0, atTicks: null }, hasSound);
    for (const frame of verdict.frames) this.#feed(frame);
  }

  /** What the present headers allow. A track that no frame came of, and that cannot be filled, is left out. */
  #tracksOf(kind: Verdict['kind']): Tracks {
    const headers = this.#stream.headers;
    const video = kind === 'picture' && headers.video !== null ? readHlsVideo(headers.video) : null;
    const audio = headers.audio === null ? this.#tracks.audio : readHlsAudio(headers.audio);
    return {
      video: typeof video === 'string' ? null : video,
      audio: typeof audio === 'string' ? null : audio,
    };
  }

  /** Begins with other tracks where the segmenter before ended. */
  #configure(tracks: Tracks, targets: Targets, start: SegmenterStart, hasSound: boolean): void {
    const silence = tracks.audio === null ? null : silenceOf(tracks.audio);
    const audio = hasSound || silence !== null ? tracks.audio : null;
    this.#tracks = { video: tracks.video, audio };
    this.#isStale = { video: false, audio: false };
    this.#hasSoundWaiting = false;
    const formats = [tracks.video?.track, audio?.track].filter((track) => track !== undefined);
    this.#store.useInit(asBuffer(encodeFmp4Init(formats)));
    const plan: SegmentPlan = { ...targets, segmentMs: this.#hls.segmentMs };
    if (tracks.video !== null) {
      const queue = audio === null ? null : new SoundQueue({ ...soundFormat(audio), silence }, this.#sink.gap);
      if (!hasSound) queue?.expectNone();
      this.#segmenter = new PictureSegmenter(plan, queue, this.#sink, start);
    } else if (audio !== null) {
      const soundPlan = { ...plan, frameMs: soundFrameMs(audio) };
      this.#segmenter = new SoundSegmenter({ ...soundFormat(audio), silence: null }, soundPlan, this.#sink, start);
    }
    this.#renderMultivariant();
  }

  /** Codec, size or tracks are others from this frame on: a discontinuity, and another init segment. */
  #reconfigure(kind: Verdict['kind']): void {
    const before = this.#tracks;
    const tracks = this.#tracksOf(kind);
    if (this.#segmenter === null || this.#targets === null) return;
    this.#metrics.hlsReconfigurations.inc();
    this.#segmenter.flush();
    const frameRate = tracks.video?.frameRate ?? null;
    const frameMs = this.#isStale.video && frameRate !== null ? 1_000 / frameRate : this.#targets.frameMs;
    const isSoundLost =
      this.#stream.headers.audio === null && tracks.audio !== null && silenceOf(tracks.audio) === null;
    const hasSound = !isSoundLost && (before.audio !== null || this.#hasSoundWaiting);
    this.#configure(tracks, { ...this.#targets, frameMs }, this.#segmenter.end, hasSound);
  }

  #goOnWithSound(): void {
    if (this.#tracks.audio !== null) this.#reconfigure('sound');
  }

  #feed(frame: HlsFrame): void {
    if (frame.track === 'video') this.#feedPicture(frame);
    else this.#feedSound(frame);
  }

  #feedPicture(frame: HlsFrame): void {
    const needsChange =
      this.#tracks.video === null || this.#isStale.video || (this.#isStale.audio && this.#isSoundChangeDue());
    if (needsChange) {
      if (!frame.isKeyframe && (this.#isStale.video || this.#tracks.video === null)) {
        this.#metrics.hlsGaps.inc({ kind: 'before_keyframe' });
        return;
      }
      if (frame.isKeyframe) this.#reconfigure('picture');
    }
    this.#lastPictureMs = frame.timestampMs;
    this.#segmenter?.frame(frame);
  }

  /** A sound track that comes new is promised to players when sound has come, one that is changed or lost at once. */
  #isSoundChangeDue(): boolean {
    return this.#tracks.audio !== null || this.#hasSoundWaiting;
  }

  #feedSound(frame: HlsFrame): void {
    if (this.#isStale.audio || this.#tracks.audio === null) {
      this.#hasSoundWaiting = true;
      if (this.#tracks.audio === null && this.#stream.headers.audio !== null) this.#isStale.audio = true;
      if (this.#tracks.video !== null) return; // from the next keyframe on
      this.#reconfigure('sound');
    }
    this.#segmenter?.frame(frame);
    const isPictureLost = frame.timestampMs - this.#lastPictureMs > OPENING_MS_MAX;
    if (this.#tracks.video !== null && isPictureLost) this.#goOnWithSound();
  }

  readonly #sink: SegmenterSink = {
    part: (part) => this.#addPart(part),
    segmentEnd: () => this.#endSegment(),
    gap: (kind) => this.#metrics.hlsGaps.inc({ kind }),
  };

  #addPart(part: MediaPart): void {
    const { video, audio } = part;
    this.#fragments += 1;
    const audioId = this.#tracks.video === null ? 1 : 2;
    const tracks: Fmp4TrackRun[] = [];
    if (video !== null) tracks.push({ trackId: 1, ...video });
    if (audio !== null) tracks.push({ trackId: audioId, ...audio });
    const startsSegment = this.#store.openPartCount === 0;
    const body = asBuffer(encodeFmp4Fragment({ sequenceNumber: this.#fragments, tracks, startsSegment }));
    const durationMs = (part.endTicks - part.startTicks) / TICKS_PER_MS;
    const wallMs = startsSegment ? Math.round(this.#stream.wallClockAt(part.streamStartMs)) : 0;
    this.#newest = { msn: this.#store.openMsn, part: this.#store.openPartCount };
    this.#store.addPart({ body, durationMs, isIndependent: part.isIndependent }, wallMs === 0 ? null : wallMs);
    this.#isDirty = true;
    this.#metrics.hlsParts.inc();
    const arrival = this.#arrival;
    if (this.#window !== null && arrival !== null) {
      const dueMs = arrival.timestampMs + arrival.leastDelayMs;
      this.#metrics.hlsPartDelaySeconds.observe(Math.max(0, performance.now() - dueMs) / 1_000);
    }
  }

  #endSegment(): void {
    const segment = this.#store.endSegment();
    if (segment === null) return;
    this.#isDirty = true;
    this.#segmentEndedAtMs = performance.now();
    this.#metrics.hlsSegments.inc();
    if (this.#bandwidth?.add(segment) === true) this.#renderMultivariant();
  }

  #renderMultivariant(): void {
    const { video, audio } = this.#tracks;
    const { widthPx, heightPx } = video?.track ?? { widthPx: 0, heightPx: 0 };
    const text = encodeMultivariantPlaylist({
      hasIndependentSegments: false,
      variants: [
        {
          uri: `${this.#playbackId}/${PLAYLIST_NAME}`,
          bandwidthBps: this.#bandwidth?.peakBps ?? 0,
          averageBandwidthBps: this.#bandwidth?.averageBps ?? 0,
          codecs: [video?.codec, audio?.codec].filter((codec) => codec !== undefined),
          ...(widthPx > 0 && heightPx > 0 ? { resolution: { widthPx, heightPx } } : {}),
          ...(video === null || this.#targets === null ? {} : { frameRate: 1_000 / this.#targets.frameMs }),
        },
      ],
    });
    this.#multivariant = Buffer.from(text);
  }

  /** Replaces the window when something was added. Once per packet, however many parts it finished. */
  #publish(): void {
    if (!this.#isDirty || this.#targets === null || this.#store.wholeCount === 0) return;
    this.#isDirty = false;
    const { targetDurationMs, partTargetMs } = this.#targets;
    const { openMsn, openPartCount } = this.#store;
    const isEndLikely = this.#segmenter?.isSegmentEndLikely === true && openPartCount > 0;
    const hinted = isEndLikely ? this.#store.partName(openMsn + 1, 0) : this.#store.partName(openMsn, openPartCount);
    const playlist = encodeMediaPlaylist({
      ...this.#store.listing(this.#isEnded ? SEGMENTS_WITH_PARTS : SEGMENTS_WITH_PARTS - 1),
      targetDurationMs,
      holdBackMs: targetDurationMs * HOLD_BACK_TARGETS,
      lowLatency: { partTargetMs, partHoldBackMs: partTargetMs * HOLD_BACK_TARGETS },
      preloadHintUri: hinted,
      isEnded: this.#isEnded,
    });
    this.#window = {
      lastMsn: this.#newest.msn,
      lastPart: this.#newest.part,
      lastWholeMsn: openMsn - 1,
      playlist: Buffer.from(playlist),
      multivariant: this.#multivariant,
      targetDurationMs,
      partTargetMs,
      isEnded: this.#isEnded,
    };
    for (const listener of this.#listeners) listener();
  }
}

function silenceOf(audio: HlsAudio): Uint8Array | null {
  return silentAacFrame(audio.config);
}

function soundFormat({ config }: HlsAudio): { sampleRateHz: number; frameSamples: number } {
  return { sampleRateHz: config.sampleRateHz, frameSamples: config.frameSamples };
}

function soundFrameMs(audio: HlsAudio | null): number {
  return audio === null ? 0 : (audio.config.frameSamples * 1_000) / audio.config.sampleRateHz;
}

/** A view of the same bytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
