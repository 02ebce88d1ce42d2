import {
  encodeFmp4Fragment,
  encodeFmp4Init,
  encodeMediaPlaylist,
  encodeMultivariantPlaylist,
  type Fmp4TrackRun,
} from '@showfloor/media-formats';
import { BandwidthMeter } from './bandwidth-meter.ts';
import type { HlsMetrics } from './hls-metrics.ts';
import type { HlsOptions } from './hls-options.ts';
import type { HlsTracks } from './hls-tracks.ts';
import { TICKS_PER_MS } from './part-plan.ts';
import { type HlsObject, SegmentStore } from './segment-store.ts';
import type { MediaPart } from './segmenter.ts';

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

/** What a playlist says from its first line on and may not change. `frameMs`: as measured, of the picture if there is one. */
export type HlsTargets = Readonly<{
  targetDurationMs: number;
  segmentMsMax: number;
  partTargetMs: number;
  frameMs: number;
}>;

export type HlsPublisherOptions = Readonly<{
  hls: HlsOptions;
  metrics: HlsMetrics;
  /** Bytes the stream may keep now. */
  bytesMax: () => number;
  runId: string;
  playbackId: string;
  firstSequence: number;
  /** Wall clock (ms since 1970) of a time of the stream; 0 when unknown. */
  wallClockAt: (streamMs: number) => number;
}>;

const PLAYLIST_NAME = 'index.m3u8';
/** Classic players stay this many target durations behind, low-latency players as many part targets. Spec: 4.4.3.8. */
const HOLD_BACK_TARGETS = 3;
/** Segments that list their parts, the open one included: three target durations. Spec: 4.4.4.9. */
const SEGMENTS_WITH_PARTS = 3;

/** Makes objects of parts and segments, and playlists of what is there. */
export class HlsPublisher {
  readonly #options: HlsPublisherOptions;
  readonly #store: SegmentStore;
  readonly #listeners = new Set<() => void>();
  #tracks: HlsTracks = { video: null, audio: null };
  #targets: HlsTargets | null = null;
  #bandwidth: BandwidthMeter | null = null;
  #frameMs = 0;
  #fragments = 0;
  #newest = { msn: 0, part: -1 };
  #window: HlsWindow | null = null;
  #multivariant: Buffer = Buffer.alloc(0);
  #isDirty = false;
  #isEnded = false;

  constructor(options: HlsPublisherOptions) {
    this.#options = options;
    const { runId, firstSequence, metrics, bytesMax } = options;
    const { windowSegments } = options.hls;
    const onEvicted = (): void => metrics.hlsEvictions.inc({ what: 'segment' });
    this.#store = new SegmentStore({ runId, firstSequence, windowSegments, bytesMax, onEvicted });
  }

  /** Null until the first segment is whole. */
  get window(): HlsWindow | null {
    return this.#window;
  }
  /** Bytes of media kept. */
  get bytes(): number {
    return this.#store.bytes;
  }
  /** The run after this one begins above. */
  get numbersTaken(): number {
    return this.#store.numbersTaken;
  }

  /** `name` is what follows `/live/{id}/`. 'pending': the hinted next part, or the first part of the next segment. */
  object(name: string): HlsObject | 'pending' | undefined {
    const there = this.#store.object(name);
    if (there !== undefined || this.#window === null || this.#isEnded) return there;
    const { openMsn, openPartCount } = this.#store;
    const isNext = name === this.#store.partName(openMsn, openPartCount);
    return isNext || name === this.#store.partName(openMsn + 1, 0) ? 'pending' : undefined;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The targets are known: once, before the first part. */
  begin(targets: HlsTargets): void {
    this.#targets = targets;
    this.#bandwidth = new BandwidthMeter(targets.targetDurationMs);
    this.#store.keepAtLeast(targets.targetDurationMs * HOLD_BACK_TARGETS);
  }

  /** The next part is of these tracks: another init segment, and a discontinuity unless it is the first. `frameMs` of their picture. */
  useTracks(tracks: HlsTracks, frameMs: number): void {
    this.#tracks = tracks;
    this.#frameMs = frameMs;
    const formats = [tracks.video?.track, tracks.audio?.track].filter((track) => track !== undefined);
    this.#store.useInit(asBuffer(encodeFmp4Init(formats)));
    this.#renderMultivariant();
  }

  addPart(part: MediaPart): void {
    const { video, audio } = part;
    this.#fragments += 1;
    const audioId = this.#tracks.video === null ? 1 : 2;
    const tracks: Fmp4TrackRun[] = [];
    if (video !== null) tracks.push({ trackId: 1, ...video });
    if (audio !== null) tracks.push({ trackId: audioId, ...audio });
    const startsSegment = this.#store.openPartCount === 0;
    const body = asBuffer(encodeFmp4Fragment({ sequenceNumber: this.#fragments, tracks, startsSegment }));
    const durationMs = (part.endTicks - part.startTicks) / TICKS_PER_MS;
    const wallMs = startsSegment ? Math.round(this.#options.wallClockAt(part.streamStartMs)) : 0;
    this.#newest = { msn: this.#store.openMsn, part: this.#store.openPartCount };
    this.#store.addPart({ body, durationMs, isIndependent: part.isIndependent }, wallMs === 0 ? null : wallMs);
    this.#options.metrics.hlsParts.inc();
    this.#isDirty = true;
  }

  /** The parts since the last call are a segment. False when there were none. */
  endSegment(): boolean {
    const segment = this.#store.endSegment();
    if (segment === null) return false;
    this.#isDirty = true;
    this.#options.metrics.hlsSegments.inc();
    if (this.#bandwidth?.add(segment) === true) this.#renderMultivariant();
    return true;
  }

  /** True when the open segment takes more of the stream's memory than it may. */
  get isSegmentTooLarge(): boolean {
    return this.#store.openBytes > this.#options.hls.bytesMax / 2;
  }

  /** Nothing will follow. */
  end(): void {
    this.#isEnded = true;
    this.#isDirty = true;
  }

  /** Replaces the window if something was added since, and tells. Called once per packet, however many parts it finished. */
  publish(isSegmentEndLikely: boolean): void {
    if (!this.#isDirty || this.#targets === null || this.#store.wholeCount === 0) return;
    this.#isDirty = false;
    const { targetDurationMs, partTargetMs } = this.#targets;
    const { msn: lastMsn, part: lastPart } = this.#newest;
    this.#window = {
      lastMsn,
      lastPart,
      lastWholeMsn: this.#store.openMsn - 1,
      playlist: Buffer.from(this.#renderPlaylist(this.#targets, isSegmentEndLikely)),
      multivariant: this.#multivariant,
      targetDurationMs,
      partTargetMs,
      isEnded: this.#isEnded,
    };
    for (const listener of this.#listeners) listener();
  }

  /** Lets everything go. */
  clear(): void {
    this.#listeners.clear();
    this.#store.clear();
    this.#window = null;
  }

  #renderPlaylist({ targetDurationMs, partTargetMs }: HlsTargets, isSegmentEndLikely: boolean): string {
    const { openMsn, openPartCount } = this.#store;
    const isNextSegment = isSegmentEndLikely && openPartCount > 0;
    return encodeMediaPlaylist({
      ...this.#store.listing(this.#isEnded ? SEGMENTS_WITH_PARTS : SEGMENTS_WITH_PARTS - 1),
      targetDurationMs,
      holdBackMs: targetDurationMs * HOLD_BACK_TARGETS,
      lowLatency: { partTargetMs, partHoldBackMs: partTargetMs * HOLD_BACK_TARGETS },
      preloadHintUri: isNextSegment
        ? this.#store.partName(openMsn + 1, 0)
        : this.#store.partName(openMsn, openPartCount),
      isEnded: this.#isEnded,
    });
  }

  #renderMultivariant(): void {
    const { video, audio } = this.#tracks;
    const { widthPx, heightPx } = video?.track ?? { widthPx: 0, heightPx: 0 };
    const text = encodeMultivariantPlaylist({
      hasIndependentSegments: false,
      variants: [
        {
          uri: `${this.#options.playbackId}/${PLAYLIST_NAME}`,
          bandwidthBps: this.#bandwidth?.peakBps ?? 0,
          averageBandwidthBps: this.#bandwidth?.averageBps ?? 0,
          codecs: [video?.codec, audio?.codec].filter((codec) => codec !== undefined),
          ...(widthPx > 0 && heightPx > 0 ? { resolution: { widthPx, heightPx } } : {}),
          ...(video === null ? {} : { frameRate: 1_000 / this.#frameMs }),
        },
      ],
    });
    this.#multivariant = Buffer.from(text);
  }
}

/** A view of the same bytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
