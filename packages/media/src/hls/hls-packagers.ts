import type { Stream } from '../hub/stream.ts';
import type { HlsMetrics } from './hls-metrics.ts';
import type { HlsOptions } from './hls-options.ts';
import { HlsPackager, type HlsProblem } from './hls-packager.ts';
import type { SequenceFloor } from './sequence-floor.ts';

export type HlsPackagersOptions = Readonly<{
  hls: HlsOptions;
  metrics: HlsMetrics;
  /** Streams on air and in grace at once; as many ended ones are kept at most. */
  streamsMax: number;
  floor: SequenceFloor;
}>;

type Entry = { readonly stream: Stream; readonly packager: HlsPackager; endedTimer: NodeJS.Timeout | null };

/** The packagers of all streams: one per stream from its start, kept for `lingerMs` after its end so that players can finish. */
export class HlsPackagers {
  readonly #options: HlsPackagersOptions;
  /** In the order in which they ended, behind those that have not. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: HlsPackagersOptions) {
    this.#options = options;
  }

  /** The packager of a stream on air, in grace, or ended less than `lingerMs` ago; undefined also when HLS is off. */
  find(playbackId: string): HlsPackager | undefined {
    return this.#entries.get(playbackId)?.packager;
  }

  /** A stream goes on air: its first frame follows. Takes the place of an ended one of the same name. */
  start(stream: Stream): void {
    const { hls, metrics, streamsMax, floor } = this.#options;
    if (!hls.isEnabled) return;
    const before = this.#entries.get(stream.playbackId);
    if (before !== undefined) this.#remove(stream.playbackId, before);
    while (this.#entries.size >= streamsMax * 2) if (!this.#removeOldestEnded()) break;
    const firstSequence = floor.next(Date.now());
    const packager = new HlsPackager(stream, { hls, metrics, firstSequence, bytesMax: () => this.#claim() });
    this.#entries.set(stream.playbackId, { stream, packager, endedTimer: null });
  }

  /** A stream is over: nothing follows, what is there can be fetched for a while; at once gone when there is nothing. */
  ended(playbackId: string): void {
    const entry = this.#entries.get(playbackId);
    if (entry === undefined || entry.endedTimer !== null) return;
    this.#options.floor.used(entry.packager.numbersTaken);
    if (entry.packager.window === null) {
      this.#remove(playbackId, entry);
      return;
    }
    entry.endedTimer = setTimeout(() => this.#remove(playbackId, entry), this.#options.hls.lingerMs);
    entry.endedTimer.unref();
    this.#entries.delete(playbackId);
    this.#entries.set(playbackId, entry);
  }

  /** Why a stream has no HLS, or not all of it; null when it has. */
  problemOf(playbackId: string): HlsProblem | null {
    return this.find(playbackId)?.problem ?? null;
  }

  /** Brings the gauges up to date. */
  sample(): void {
    const { metrics, floor } = this.#options;
    const nowMs = performance.now();
    const states = new Map<string, number>(STATES.map((state) => [state, 0]));
    let oldestMs = 0;
    for (const { stream, packager } of this.#entries.values()) {
      const state = stateOf(packager);
      states.set(state, (states.get(state) ?? 0) + 1);
      floor.used(packager.numbersTaken);
      if (state === 'live' && stream.state === 'live') oldestMs = Math.max(oldestMs, packager.segmentAgeMs(nowMs));
    }
    for (const [state, count] of states) metrics.hlsStreams.set({ state }, count);
    metrics.hlsSegmentAge.set(oldestMs / 1_000);
    metrics.hlsRetainedBytes.set(this.#retainedBytes());
  }

  /** Lets all packagers go. */
  close(): void {
    for (const [playbackId, entry] of this.#entries) {
      this.#options.floor.used(entry.packager.numbersTaken);
      this.#remove(playbackId, entry);
    }
    this.#options.floor.close();
  }

  /** What a stream that grows may keep now. A stream that stands still keeps what it has until it goes on or ends. */
  #claim(): number {
    const { hls, metrics } = this.#options;
    while (this.#retainedBytes() > hls.bytesTotalMax) {
      if (!this.#removeOldestEnded()) return Math.min(hls.bytesMax, hls.bytesTotalMax / this.#entries.size);
      metrics.hlsEvictions.inc({ what: 'ended' });
    }
    return hls.bytesMax;
  }

  #retainedBytes(): number {
    let bytes = 0;
    for (const { packager } of this.#entries.values()) bytes += packager.retainedBytes;
    return bytes;
  }

  #removeOldestEnded(): boolean {
    for (const [playbackId, entry] of this.#entries) {
      if (entry.endedTimer === null) continue;
      this.#remove(playbackId, entry);
      return true;
    }
    return false;
  }

  #remove(playbackId: string, entry: Entry): void {
    if (entry.endedTimer !== null) clearTimeout(entry.endedTimer);
    entry.packager.dispose();
    if (this.#entries.get(playbackId) === entry) this.#entries.delete(playbackId);
  }
}

const STATES = ['opening', 'live', 'ended', 'video_codec', 'video_config', 'audio_codec', 'audio_config'] as const;

function stateOf(packager: HlsPackager): (typeof STATES)[number] {
  if (packager.problem !== null) return packager.problem;
  if (packager.window === null) return 'opening';
  return packager.window.isEnded ? 'ended' : 'live';
}
