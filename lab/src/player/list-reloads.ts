/**
 * When to ask for the list again, and what the answers say about the server: changes, staleness, blocked answers that come late.
 * Fed with (time, event). Spec: RFC 8216, 6.2.2 and 6.3.4; draft-pantos-hls-rfc8216bis, 6.2.5.2 and 6.3.7.
 */
import { type HlsList, isSameContent, segmentOf } from './hls-list.ts';
import { type HlsProfile, retryDelayMs } from './hls-profile.ts';

/** What a blocking reload waits for: a segment, or one of its parts. */
export type ReloadPoint = { readonly msn: number; readonly part: number | null };

/** The next question. `point` null: a plain one. */
export type ListRequest = { readonly dueAtMs: number; readonly point: ReloadPoint | null };

/** What one answer said. */
export type ListAnswer = {
  readonly isChanged: boolean;
  /** Time since the answer that brought the previous change; null before the second one. */
  readonly changeGapMs: number | null;
  /** Time, proven by this answer, in which the list was older than it may be. Not yet told by an earlier answer. */
  readonly staleMs: number;
  /** The list became too old with this answer. */
  readonly isNewlyStale: boolean;
  /** Blocking reloads: how much later than the part was due the answer came. */
  readonly overrunMs: number | null;
  /** A blocking reload was answered without what it waited for. */
  readonly isUnmet: boolean;
};

/** A list must change within this many target durations (RFC 8216, 6.2.2). */
const STALE_AFTER_TARGETS = 1.5;
const WAIT_AFTER_CHANGE_TARGETS = 1;
const WAIT_AFTER_NOTHING_NEW_TARGETS = 0.5;
/** Clocks of timers and of stamps differ by this at most. */
const TOLERANCE_MS = 1;

/** The list lane of one session: one request at a time. */
export class ListReloads {
  readonly #profile: HlsProfile;
  readonly #isLowLatency: boolean;
  #list: HlsList | null = null;
  #beganAtMs = Number.NEGATIVE_INFINITY;
  #changedAtMs = 0;
  #staleKnownMs = 0;
  #wasChanged = false;
  #asked: ReloadPoint | null = null;
  #isUnderWay = false;
  #failures = 0;
  #next: ListRequest | null;

  constructor(profile: HlsProfile, isLowLatency: boolean, atMs: number) {
    this.#profile = profile;
    this.#isLowLatency = isLowLatency;
    this.#next = { dueAtMs: atMs, point: null };
  }

  /** Null while a request is under way, after the list has ended, and after giving up. */
  get next(): ListRequest | null {
    return this.#isUnderWay ? null : this.#next;
  }

  /** The request has left. True when it left earlier than a player may ask: our own mistake, counted as such. */
  sent(atMs: number): boolean {
    const waitedMs = atMs - this.#beganAtMs;
    const isPlain = this.#next?.point === null;
    const isTooEarly = isPlain && this.#list !== null && waitedMs < this.#waitMs(this.#list) - TOLERANCE_MS;
    this.#beganAtMs = atMs;
    this.#asked = this.#next?.point ?? null;
    this.#isUnderWay = true;
    return isTooEarly;
  }

  answered(atMs: number, list: HlsList): ListAnswer {
    const before = this.#list;
    const asked = this.#asked;
    const isChanged = before === null || !isSameContent(before, list);
    const isUnmet = asked !== null && !list.isEnded && !hasPoint(list, asked);
    const overrunMs = asked === null || before === null ? null : this.#overrunMs(atMs, before);
    const changeGapMs = isChanged && before !== null ? atMs - this.#changedAtMs : null;
    const { staleMs, isNewlyStale } = this.#staleness(atMs, list, isChanged);
    if (isChanged) this.#changedAtMs = atMs;
    this.#list = list;
    this.#wasChanged = isChanged;
    this.#failures = 0;
    this.#isUnderWay = false;
    this.#next = list.isEnded ? null : this.#plan(atMs, list, isUnmet);
    return { isChanged, changeGapMs, staleMs, isNewlyStale, overrunMs, isUnmet };
  }

  /** The request failed. True: no retry is left, the session is over. */
  failed(atMs: number): boolean {
    this.#isUnderWay = false;
    this.#failures += 1;
    if (this.#failures > this.#profile.list.retriesMax) {
      this.#next = null;
      return true;
    }
    const earliestMs = this.#list === null ? atMs : this.#beganAtMs + this.#waitMs(this.#list);
    const retryAtMs = atMs + retryDelayMs(this.#profile.list, this.#failures);
    this.#next = { dueAtMs: Math.max(earliestMs, retryAtMs), point: null };
    return false;
  }

  #plan(atMs: number, list: HlsList, isUnmet: boolean): ListRequest {
    const point = this.#isLowLatency && list.canBlockReload && list.partTargetMs !== null ? nextPoint(list) : null;
    if (point !== null && !isUnmet) return { dueAtMs: atMs, point };
    return { dueAtMs: this.#beganAtMs + this.#waitMs(list), point };
  }

  #waitMs(list: HlsList): number {
    return list.targetDurationMs * (this.#wasChanged ? WAIT_AFTER_CHANGE_TARGETS : WAIT_AFTER_NOTHING_NEW_TARGETS);
  }

  /** The part was due one part target (without parts: one target duration) after what came before it. */
  #overrunMs(atMs: number, { partTargetMs, targetDurationMs }: HlsList): number {
    const dueAtMs = this.#changedAtMs + (partTargetMs ?? targetDurationMs);
    return Math.max(0, atMs - Math.max(dueAtMs, this.#beganAtMs));
  }

  /**
   * Whoever gets the same list again knows that it has been the newest since the first time: a lower bound of its age that no delay
   * of ours can raise.
   */
  #staleness(atMs: number, list: HlsList, isChanged: boolean): { staleMs: number; isNewlyStale: boolean } {
    if (isChanged) {
      this.#staleKnownMs = 0;
      return { staleMs: 0, isNewlyStale: false };
    }
    const overMs = Math.max(0, atMs - this.#changedAtMs - STALE_AFTER_TARGETS * list.targetDurationMs);
    const staleMs = overMs - this.#staleKnownMs;
    const isNewlyStale = overMs > 0 && this.#staleKnownMs === 0;
    this.#staleKnownMs = overMs;
    return { staleMs, isNewlyStale };
  }
}

/** What comes after the end of this list. */
function nextPoint(list: HlsList): ReloadPoint {
  const last = list.segments.at(-1);
  if (last !== undefined && last.whole === null) return { msn: last.msn, part: last.parts.length };
  return { msn: list.lastMsn + 1, part: list.partTargetMs === null ? null : 0 };
}

function hasPoint(list: HlsList, { msn, part }: ReloadPoint): boolean {
  if (list.lastMsn > msn) return true;
  const segment = segmentOf(list, msn);
  if (segment === undefined) return false;
  return segment.whole !== null || (part !== null && segment.parts.length > part);
}
