import { TsMediaReader } from '../clients/ts-media-reader.ts';
import { type InitTrack, readInitSegment, readSampleRuns, type SampleRun } from './fragment-reader.ts';
import type { RuleBook } from './rules.ts';

/** Written durations are rounded to ms; timestamps of RTMP are too. */
const DURATION_TOLERANCE_MS = 5;
/** Audio frames straddle the cut at a video frame: a part's sound may end up to two AAC frames apart. */
const TIMELINE_TOLERANCE_MS = 50;

const TS_SYNC = 0x47;
/** A TS segment says when its pictures are decoded, not how long the last one lasts; there is one timeline. */
const TS_TIMELINE = 0;

/** What a part or segment says of itself in the list. */
export type ListedMedia = Readonly<{
  uri: string;
  durationMs: number;
  isIndependent: boolean;
  hasDiscontinuity: boolean;
}>;

/** Follows the media of one playlist, part by part in order, against what the list says of them. */
export class MediaRules {
  readonly #book: RuleBook;
  readonly #ts = new TsMediaReader();
  #tracks: readonly InitTrack[] = [];
  /** Where each track's next fragment is to begin, in ms. */
  readonly #nextMs = new Map<number, number>();

  constructor(book: RuleBook) {
    this.#book = book;
  }

  /** Tracks of the init segment in force. */
  get tracks(): readonly InitTrack[] {
    return this.#tracks;
  }

  /** A new EXT-X-MAP is in force. Returns false when it cannot be read. */
  useInit(uri: string, bytes: Uint8Array): boolean {
    try {
      this.#tracks = readInitSegment(bytes);
    } catch (error) {
      this.#book.hold('map.present', false, () => `${uri}: ${String(error)}`);
      return false;
    }
    return true;
  }

  /** The next part (or segment, where a list has no parts) in order. */
  follow(media: ListedMedia, bytes: Uint8Array, kind: 'part' | 'segment'): void {
    if (media.hasDiscontinuity) this.#nextMs.clear();
    if (bytes[0] === TS_SYNC) {
      this.#followTs(media, bytes);
      return;
    }
    let runs: readonly SampleRun[];
    try {
      runs = readSampleRuns(bytes, this.#tracks);
    } catch (error) {
      this.#book.hold('object.available', false, () => `${media.uri}: ${String(error)}`);
      return;
    }
    this.#checkTimeline(media, runs);
    const main = this.#mainRuns(runs);
    const durationMs = main.reduce((sum, run) => sum + this.#toMs(run.trackId, run.durationTicks), 0);
    const rule = kind === 'part' ? 'parts.media-duration' : 'media.segment-duration';
    const isAsSaid = Math.abs(durationMs - media.durationMs) <= DURATION_TOLERANCE_MS;
    this.#book.hold(rule, isAsSaid, () => `${media.uri} lasts ${durationMs.toFixed(1)} ms, says ${media.durationMs}`);
    if (!media.isIndependent) return;
    this.#book.hold('parts.independent', main[0]?.beginsWithSync === true, () => `${media.uri} begins without one`);
  }

  #followTs(media: ListedMedia, bytes: Uint8Array): void {
    try {
      const read = this.#ts.read(bytes);
      if (read === null) return; // neither AVC, HEVC nor AAC: nothing is known of it
      const toleranceMs = DURATION_TOLERANCE_MS + read.frameMs;
      const lengthMs = read.endMs - read.startMs;
      const isAsSaid = Math.abs(lengthMs - media.durationMs) <= toleranceMs;
      const says = (): string => `${media.uri} lasts ${lengthMs.toFixed(1)} ms, says ${media.durationMs}`;
      this.#book.hold('media.segment-duration', isAsSaid, says);
      const offMs = read.startMs - (this.#nextMs.get(TS_TIMELINE) ?? read.startMs);
      const isNext = Math.abs(offMs) <= Math.max(TIMELINE_TOLERANCE_MS, read.frameMs);
      this.#book.hold('media.timeline', isNext, () => `${media.uri}: ${offMs.toFixed(1)} ms off`);
      this.#nextMs.set(TS_TIMELINE, read.endMs);
    } catch (error) {
      this.#book.hold('object.available', false, () => `${media.uri}: ${String(error)}`);
    }
  }

  /** Runs of the video track, or of the only other one. */
  #mainRuns(runs: readonly SampleRun[]): SampleRun[] {
    const main = this.#tracks.find(({ handler }) => handler === 'vide') ?? this.#tracks[0];
    return runs.filter(({ trackId }) => trackId === main?.trackId);
  }

  #checkTimeline(media: ListedMedia, runs: readonly SampleRun[]): void {
    for (const run of runs) {
      const startMs = this.#toMs(run.trackId, run.startTicks);
      const expectedMs = this.#nextMs.get(run.trackId);
      if (expectedMs !== undefined) {
        const offMs = startMs - expectedMs;
        const isNext = Math.abs(offMs) <= TIMELINE_TOLERANCE_MS;
        this.#book.hold(
          'media.timeline',
          isNext,
          () => `${media.uri}, track ${run.trackId}: ${offMs.toFixed(1)} ms off`,
        );
      }
      this.#nextMs.set(run.trackId, startMs + this.#toMs(run.trackId, run.durationTicks));
    }
  }

  #toMs(trackId: number, ticks: number): number {
    const timescale = this.#tracks.find((track) => track.trackId === trackId)?.timescale ?? 1_000;
    return (ticks * 1_000) / timescale;
  }
}
