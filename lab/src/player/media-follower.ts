/**
 * Which fragment a player fetches next, and where it goes on when that one is gone, missing or renumbered. Fed with lists and
 * the ends of requests; it asks nobody and knows no clock but the stamps it is given.
 */
import { type HlsFragment, type HlsList, type HlsSegment, segmentOf } from './hls-list.ts';
import { type HlsProfile, retryDelayMs } from './hls-profile.ts';
import { compareLists } from './hls-sequence.ts';

/** Why media were left out: the window moved on, numbers never listed, a list that started anew, not there, failed, marked as gap. */
export const SKIP_CAUSES = ['window_skip', 'server_jump', 'regression', 'missing', 'failed', 'gap'] as const;
/** One of {@link SKIP_CAUSES}. */
export type SkipCause = (typeof SKIP_CAUSES)[number];

/** What a list or a request showed. */
export type HlsFact =
  | { readonly type: 'regression'; readonly by: number }
  | { readonly type: 'renumbered'; readonly by: number }
  | { readonly type: 'skip'; readonly cause: SkipCause; readonly segments: number; readonly mediaMs: number }
  | { readonly type: 'discontinuity' }
  | { readonly type: 'hint_broken'; readonly uri: string };

/** What to ask for. A hint is asked for before it is listed: its answer waits, and its length is not known. */
export type MediaRequest =
  | { readonly kind: 'init' | 'hint'; readonly uri: string; readonly dueAtMs: number }
  | { readonly kind: 'segment' | 'part'; readonly uri: string; readonly dueAtMs: number; readonly durationMs: number };

/** A fragment that has arrived, and its place. `positionMs` counts from the start of the first list. */
export type LoadedFragment = {
  readonly fragment: HlsFragment;
  /** Media time; see {@link MediaFollower.edgeMs}. */
  readonly positionMs: number;
  /** Where playback begins; only the first one of a session says so. */
  readonly playFromMs: number | null;
  /** It follows the one before it without anything left out. */
  readonly isContiguous: boolean;
};

/** Why a request failed. `isMissing`: answered with 4xx. */
export type LoadFailure = { readonly atMs: number; readonly isMissing: boolean };

type Cursor = { readonly msn: number; readonly part: number };
type UnderWay = { readonly request: MediaRequest; readonly loaded: LoadedFragment | null };

const HOLD_BACK_TARGETS = 3;
/** The parts of a segment add up to its duration but for rounding. */
const ROUNDING_MS = 50;

/** The media lane of one session: one request at a time. */
export class MediaFollower {
  readonly #profile: HlsProfile;
  readonly #isLowLatency: boolean;
  readonly #emit: (fact: HlsFact) => void;
  #list: HlsList | null = null;
  /** Position of the start of the newest list. Numbers give the first one, so that a later session is also further on. */
  #anchorMs = 0;
  #cursor: Cursor = { msn: 0, part: 0 };
  #playFromMs: number | null = null;
  #isContiguous = false;
  #mapUri: string | null = null;
  #underWay: UnderWay | null = null;
  /** A hint that has come, and is not listed yet. */
  #hinted: string | null = null;
  #refusedHint: string | null = null;
  #attempts = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #regressedLists = 0;
  /** End of what was handed out for appending. */
  #appendedUpToMs = 0;

  constructor(profile: HlsProfile, isLowLatency: boolean, emit: (fact: HlsFact) => void) {
    this.#profile = profile;
    this.#isLowLatency = isLowLatency;
    this.#emit = emit;
  }

  /** Position of the end of what is listed: the live edge. */
  get edgeMs(): number {
    return this.#anchorMs + (this.#list?.totalMs ?? 0);
  }

  /** All that the list will ever have is fetched. */
  get isComplete(): boolean {
    return this.#list?.isEnded === true && this.#underWay === null && this.#cursor.msn > this.#list.lastMsn;
  }

  onList(list: HlsList): void {
    const before = this.#list;
    if (before === null) {
      this.#list = list;
      const { cursor } = this.#startOf(list);
      this.#begin(list, list.firstMsn * list.targetDurationMs + this.#offsetOf(list, cursor));
      return;
    }
    const { regressedBy, renumberedBy, unseen } = compareLists(before, list);
    if (regressedBy > 0) {
      this.#emit({ type: 'regression', by: regressedBy });
      this.#regress(list);
      return;
    }
    this.#regressedLists = 0;
    if (renumberedBy !== 0) this.#emit({ type: 'renumbered', by: renumberedBy });
    const index = list.firstMsn - before.firstMsn;
    const gone = before.segments[index]?.offsetMs ?? before.totalMs + unseen * list.targetDurationMs;
    this.#anchorMs += gone;
    this.#list = list;
    if (this.#cursor.msn < list.firstMsn) this.#skipToWindow(list, unseen > 0 ? 'server_jump' : 'window_skip');
  }

  /** A hint that arrived earlier and is listed now: to be appended. Call it after each list. */
  takeHinted(): LoadedFragment | null {
    if (this.#hinted === null) return null;
    const uri = this.#hinted;
    const fragment = this.#wanted();
    if (fragment === null) return null;
    this.#hinted = null;
    if (fragment.uri === uri) return this.#finish(this.#place(fragment));
    this.#emit({ type: 'hint_broken', uri });
    return null;
  }

  /** What to fetch now; null when nothing is listed that is wanted, enough is buffered, or a request is under way. */
  next(bufferMs: number): MediaRequest | null {
    const list = this.#list;
    if (list === null || this.#underWay !== null || this.#hinted !== null) return null;
    if (bufferMs >= this.#profile.bufferMsMax) return null;
    const fragment = this.#wanted();
    const dueAtMs = this.#retryAtMs;
    if (fragment === null) return this.#hint(list);
    if (fragment.mapUri !== null && fragment.mapUri !== this.#mapUri) {
      return { kind: 'init', uri: fragment.mapUri, dueAtMs };
    }
    return { kind: fragment.kind, uri: fragment.uri, dueAtMs, durationMs: fragment.durationMs };
  }

  /** The request that `next` told of has left. */
  sent(request: MediaRequest): void {
    const isFragment = request.kind === 'segment' || request.kind === 'part';
    const fragment = isFragment ? this.#wanted() : null;
    this.#underWay = { request, loaded: fragment === null ? null : this.#place(fragment) };
  }

  /** The request has been answered whole. Null for what is not to be appended (yet). */
  loaded(): LoadedFragment | null {
    const { request, loaded } = this.#end();
    this.#attempts = 0;
    if (request.kind === 'init') this.#mapUri = request.uri;
    if (request.kind !== 'hint') return loaded === null ? null : this.#finish(loaded);
    this.#hinted = request.uri;
    return this.takeHinted();
  }

  /** The request failed. True: it was one without which nothing plays, and no retry is left. */
  failed({ atMs, isMissing }: LoadFailure): boolean {
    const { request, loaded } = this.#end();
    if (request.kind === 'hint') {
      this.#refusedHint = request.uri; // the list will tell what comes instead
      return false;
    }
    this.#attempts += 1;
    const retriesMax = isMissing ? this.#profile.missingRetriesMax : this.#profile.fragment.retriesMax;
    if (this.#attempts <= retriesMax) {
      this.#retryAtMs = atMs + retryDelayMs(this.#profile.fragment, this.#attempts);
      return false;
    }
    this.#attempts = 0;
    if (loaded === null) return true;
    this.#leaveOut(loaded.fragment, isMissing ? 'missing' : 'failed');
    return false;
  }

  #end(): UnderWay {
    const underWay = this.#underWay;
    if (underWay === null) throw new Error('no media request is under way');
    this.#underWay = null;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
    return underWay;
  }

  /** First list, or one that starts anew: the place to begin is at `positionMs`. */
  #begin(list: HlsList, positionMs: number): void {
    const { cursor, playOffsetMs } = this.#startOf(list);
    const offsetMs = this.#offsetOf(list, cursor);
    this.#anchorMs = positionMs - offsetMs;
    this.#cursor = cursor;
    this.#playFromMs = positionMs + playOffsetMs - offsetMs;
    this.#isContiguous = false;
    this.#hinted = null;
  }

  /** An edge that is behind sends old lists now and then; one that keeps doing so has started anew. */
  #regress(list: HlsList): void {
    this.#regressedLists += 1;
    if (this.#regressedLists < this.#profile.regressedListsMax) return;
    this.#regressedLists = 0;
    this.#list = list;
    const endMs = this.#appendedUpToMs;
    this.#begin(list, endMs);
    this.#emit({ type: 'skip', cause: 'regression', segments: 0, mediaMs: 0 });
  }

  #skipToWindow(list: HlsList, cause: SkipCause): void {
    const from = this.#cursor;
    const { cursor } =
      this.#profile.afterSkip === 'live' ? this.#startOf(list) : { cursor: { msn: list.firstMsn, part: 0 } };
    this.#cursor = cursor;
    this.#isContiguous = false;
    this.#hinted = null;
    const positionMs = this.#anchorMs + this.#offsetOf(list, cursor);
    const mediaMs = Math.max(0, positionMs - this.#appendedUpToMs);
    this.#emit({ type: 'skip', cause, segments: cursor.msn - from.msn, mediaMs });
  }

  #leaveOut(fragment: HlsFragment, cause: SkipCause): void {
    if (this.#cursor.msn !== fragment.msn) return; // the window has moved meanwhile: skipped already
    const segment = this.#list === null ? undefined : segmentOf(this.#list, fragment.msn);
    const endMs =
      segment === undefined ? fragment.offsetMs + fragment.durationMs : segment.offsetMs + segment.durationMs;
    // Without this part the pictures behind it cannot be decoded: the next segment begins with a key frame.
    this.#cursor = { msn: fragment.msn + 1, part: 0 };
    this.#isContiguous = false;
    this.#emit({ type: 'skip', cause, segments: 1, mediaMs: endMs - fragment.offsetMs });
  }

  /** The listed fragment at the cursor; moves the cursor over what is finished or marked as gap. */
  #wanted(): HlsFragment | null {
    const list = this.#list;
    if (list === null) return null;
    for (;;) {
      const segment = segmentOf(list, this.#cursor.msn);
      if (segment === undefined) return null;
      const fragment = this.#fragmentAt(segment);
      if (fragment === null && segment.whole === null) return null;
      if (fragment === null) this.#cursor = { msn: segment.msn + 1, part: 0 };
      else if (fragment.isGap) this.#leaveOut(fragment, 'gap');
      else return fragment;
    }
  }

  #fragmentAt({ whole, parts, offsetMs, durationMs }: HlsSegment): HlsFragment | null {
    const { part } = this.#cursor;
    const listedPart = this.#isLowLatency ? parts[part] : undefined;
    if (listedPart !== undefined) return listedPart;
    if (part === 0) return whole;
    // Parts that have left the list are in the whole segment; what is buffered of it already is not appended twice.
    const isAppended = this.#appendedUpToMs >= this.#anchorMs + offsetMs + durationMs - ROUNDING_MS;
    return parts.length === 0 && !isAppended ? whole : null;
  }

  #hint(list: HlsList): MediaRequest | null {
    const { hintUri } = list;
    if (!this.#isLowLatency || !this.#profile.fetchesHints || hintUri === null || hintUri === this.#refusedHint)
      return null;
    const last = list.segments.at(-1);
    const isAtEdge =
      last !== undefined && last.whole === null
        ? this.#cursor.msn === last.msn && this.#cursor.part === last.parts.length
        : this.#cursor.msn === list.lastMsn + 1 && this.#cursor.part === 0;
    return isAtEdge && this.#mapUri !== null ? { kind: 'hint', uri: hintUri, dueAtMs: this.#retryAtMs } : null;
  }

  #place(fragment: HlsFragment): LoadedFragment {
    return {
      fragment,
      positionMs: this.#anchorMs + fragment.offsetMs,
      playFromMs: this.#playFromMs,
      isContiguous: this.#isContiguous && fragment.part === this.#cursor.part,
    };
  }

  #finish(loaded: LoadedFragment): LoadedFragment {
    const { fragment, positionMs } = loaded;
    this.#appendedUpToMs = Math.max(this.#appendedUpToMs, positionMs + fragment.durationMs);
    this.#playFromMs = null;
    if (fragment.isDiscontinuity) this.#emit({ type: 'discontinuity' });
    if (this.#cursor.msn !== fragment.msn) return loaded; // the window has moved meanwhile
    this.#cursor =
      fragment.kind === 'part' ? { msn: fragment.msn, part: fragment.part + 1 } : { msn: fragment.msn + 1, part: 0 };
    this.#isContiguous = true;
    return loaded;
  }

  /** Where playback begins in a list: `cursor` is fetched first, the picture starts `playOffsetMs` from the list's start. */
  #startOf(list: HlsList): { cursor: Cursor; playOffsetMs: number } {
    const first = { cursor: { msn: list.firstMsn, part: 0 }, playOffsetMs: 0 };
    if (list.isEnded || list.segments.length === 0) return first;
    const starts = this.#starts(list);
    if (this.#profile.startAt === 'edge') {
      const last = starts.at(-1);
      return last === undefined ? first : { cursor: last, playOffsetMs: last.offsetMs };
    }
    const targetMs = Math.max(0, list.totalMs - this.#holdBackMs(list));
    const at = starts.findLast(({ offsetMs }) => offsetMs <= targetMs + 1);
    return at === undefined ? first : { cursor: at, playOffsetMs: Math.max(at.offsetMs, targetMs) };
  }

  #holdBackMs(list: HlsList): number {
    if (this.#isLowLatency && list.partTargetMs !== null) {
      return list.partHoldBackMs ?? HOLD_BACK_TARGETS * list.partTargetMs;
    }
    return list.holdBackMs ?? HOLD_BACK_TARGETS * list.targetDurationMs;
  }

  /** Everything that playback can begin with. */
  #starts(list: HlsList): (Cursor & { offsetMs: number })[] {
    return list.segments.flatMap(({ msn, offsetMs, whole, parts }) => {
      const usable = this.#isLowLatency && parts.length > 0;
      if (usable)
        return parts
          .filter(({ isIndependent }) => isIndependent)
          .map((part) => ({ msn, part: part.part, offsetMs: part.offsetMs }));
      return whole === null ? [] : [{ msn, part: 0, offsetMs }];
    });
  }

  #offsetOf(list: HlsList, { msn, part }: Cursor): number {
    const segment = segmentOf(list, msn);
    return segment?.parts[part]?.offsetMs ?? segment?.offsetMs ?? list.totalMs;
  }
}
