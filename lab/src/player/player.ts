/**
 * A player without I/O, fed with (time, event). Its state is integrated from timestamp to timestamp, so that a late
 * timer can neither invent nor hide a stall; the same events give the same result in real time and in a replay.
 * Times `atMs` are monotonic milliseconds of one clock. States follow CMCD v2 `sta` (CTA-5004-B).
 */
import { type AppendResult, MediaTimeline, type MediaUnit } from './media-timeline.ts';
import type { PlayerInput } from './player-input.ts';
import type { PlayerProfile } from './player-profile.ts';

/** `idle → starting → playing ⇄ rebuffering → ended | failed`. */
export type PlayerState = 'idle' | 'starting' | 'playing' | 'rebuffering' | 'ended' | 'failed';

/** Why the picture stood still: no media, a hole in the timestamps, or a new connection that starts over. */
export type StallCause = 'starved' | 'gap' | 'reconnect';

/** What the player tells its owner. `lagMs` is the generator's own lag when the stall ended: a shorter stall is tainted. */
export type PlayerOutput =
  | { readonly type: 'started'; readonly atMs: number; readonly startupMs: number }
  | {
      readonly type: 'stall';
      readonly startedAtMs: number;
      readonly durationMs: number;
      readonly lagMs: number;
      readonly isTainted: boolean;
      readonly cause: StallCause;
    }
  | { readonly type: 'jump'; readonly atMs: number; readonly mediaMs: number }
  | { readonly type: 'passed'; readonly atMs: number; readonly mark: number };

/** Media of a list from one time to another. */
export type MediaSpan = { readonly fromMs: number; readonly toMs: number; readonly playFromMs: number };

/** Sums of one session (CTA-2066): watched includes startup and stalls, played only moving pictures. */
export type PlayerTotals = {
  readonly watchedMs: number;
  readonly playedMs: number;
  readonly stalledMs: number;
  readonly stallCount: number;
  readonly mediaMs: number;
  readonly jumpedMs: number;
  readonly startupMs: number | null;
};

/** `isConfirmed`: the next frame is overdue by more than one frame; before that, the last picture is just shown longer. */
type Stall = {
  readonly startedAtMs: number;
  readonly cause: StallCause;
  gapLeftMs: number;
  heldMs: number;
  isConfirmed: boolean;
};
type Mark = { readonly mediaMs: number; readonly mark: number };

/** Marks that wait for the playhead; beyond, the oldest is forgotten. */
export const MARKS_MAX = 512;
const EPSILON_MS = 1e-6;

/** One session of one viewer. `record` is told of everything that goes in: the same inputs give the same stalls again. */
export class Player {
  readonly #profile: PlayerProfile;
  readonly #emit: (output: PlayerOutput) => void;
  readonly #record: ((input: PlayerInput) => void) | null;
  #state: PlayerState = 'idle';
  #timeline: MediaTimeline;
  #atMs = 0;
  #requestedAtMs = 0;
  #playheadMs = 0;
  #stall: Stall | null = null;
  #isCatchingUp = false;
  #marks: Mark[] = [];
  #lagMs = 0;
  #isComplete = false;
  #totals = { watchedMs: 0, playedMs: 0, stalledMs: 0, stallCount: 0, mediaMs: 0, jumpedMs: 0 };
  #startupMs: number | null = null;

  constructor(profile: PlayerProfile, emit: (output: PlayerOutput) => void, record?: (input: PlayerInput) => void) {
    this.#profile = profile;
    this.#emit = emit;
    this.#record = record ?? null;
    this.#timeline = new MediaTimeline(profile.gapMsMin);
  }

  get state(): PlayerState {
    return this.#stall !== null && !this.#stall.isConfirmed ? 'playing' : this.#state;
  }

  get #isOver(): boolean {
    return this.#state === 'ended' || this.#state === 'failed';
  }

  get totals(): PlayerTotals {
    return { ...this.#totals, startupMs: this.#startupMs };
  }

  /** Media ahead of the playhead. */
  get bufferMs(): number {
    return this.#timeline.startMs === null ? 0 : this.#timeline.endMs - this.#playheadMs;
  }

  /** Media time on screen. */
  get playheadMs(): number {
    return this.#playheadMs;
  }

  /** The viewer pressed play (at the planned instant, not at the one the generator got round to it). */
  request(atMs: number): void {
    this.#record?.({ type: 'request', atMs });
    this.#atMs = atMs;
    this.#requestedAtMs = atMs;
    this.#state = 'starting';
  }

  /** A frame or packet arrived whole. `lagMs`: how late the generator's event loop ran at that moment. */
  media(atMs: number, unit: MediaUnit, lagMs: number): AppendResult {
    this.#record?.({ type: 'media', atMs, ...unit, lagMs });
    this.advance(atMs);
    this.#lagMs = lagMs;
    const hadStart = this.#timeline.startMs !== null;
    return this.#appended(atMs, hadStart, this.#timeline.append(unit));
  }

  /** A part or segment arrived whole. `playFromMs` counts for the first one only: where playback begins. */
  span(atMs: number, { fromMs, toMs, playFromMs }: MediaSpan, lagMs: number): AppendResult {
    this.#record?.({ type: 'span', atMs, fromMs, toMs, playFromMs, lagMs });
    this.advance(atMs);
    this.#lagMs = lagMs;
    const hadStart = this.#timeline.startMs !== null;
    return this.#appended(atMs, hadStart, this.#timeline.appendSpan(fromMs, toMs, playFromMs));
  }

  /** No more media will come: an empty buffer is then the end, not a stall. */
  complete(atMs: number): void {
    this.#record?.({ type: 'complete', atMs });
    this.advance(atMs);
    this.#isComplete = true;
    if (this.#state === 'starting' && this.bufferMs > 0) this.#start(atMs);
    if (this.#state === 'rebuffering' && this.bufferMs <= EPSILON_MS) this.#finish(atMs, 'ended');
  }

  #appended(atMs: number, hadStart: boolean, result: AppendResult): AppendResult {
    if (!hadStart && this.#timeline.startMs !== null) this.#playheadMs = this.#timeline.startMs;
    if (this.#timeline.startMs === null) return result;
    if (this.#state === 'starting' && this.bufferMs >= this.#profile.startLevelMs) this.#start(atMs);
    if (this.#state === 'rebuffering' && this.#stall?.gapLeftMs === 0) this.#resume(atMs);
    if (this.#state === 'playing') this.#chase(atMs);
    return result;
  }

  /** Asks to be told (`passed`) when the playhead reaches this media time. Bounded by {@link MARKS_MAX}. */
  mark(mediaMs: number, mark: number): void {
    if (this.#marks.length >= MARKS_MAX) this.#marks.shift();
    this.#marks.push({ mediaMs, mark });
  }

  /** A new connection: what was buffered is gone, media starts over with the next keyframe. */
  reconnect(atMs: number): void {
    this.#record?.({ type: 'reconnect', atMs });
    this.advance(atMs);
    this.#timeline = new MediaTimeline(this.#profile.gapMsMin);
    this.#marks = [];
    this.#isCatchingUp = false;
    if (this.#stall !== null) this.#stall.gapLeftMs = 0;
    if (this.#state === 'playing') this.#halt(atMs, 'reconnect', 0);
  }

  /** Integrates up to `atMs` (and not back). */
  advance(atMs: number): void {
    let leftMs = atMs - this.#atMs;
    if (leftMs <= 0) return;
    if (this.#state === 'idle' || this.#isOver) {
      this.#atMs = atMs;
      return;
    }
    this.#totals.watchedMs += leftMs;
    while (leftMs > EPSILON_MS) {
      const usedMs = this.#step(leftMs);
      this.#atMs += usedMs;
      leftMs -= usedMs;
      this.#cross();
      if (this.#isOver) {
        this.#totals.watchedMs -= leftMs;
        break;
      }
    }
    this.#atMs = atMs;
  }

  /** The viewer left. An open stall counts up to now. */
  end(atMs: number): void {
    this.#record?.({ type: 'end', atMs });
    this.#finish(atMs, 'ended');
  }

  /** Playback failed for good. */
  fail(atMs: number): void {
    this.#record?.({ type: 'fail', atMs });
    this.#finish(atMs, 'failed');
  }

  /** Uses up to `leftMs` of wall time in the present state; returns how much it used. */
  #step(leftMs: number): number {
    if (this.#state === 'playing') return this.#play(leftMs);
    const stall = this.#stall;
    if (stall === null) return leftMs; // starting
    const usedMs = stall.gapLeftMs > 0 ? Math.min(leftMs, stall.gapLeftMs) : leftMs;
    if (stall.gapLeftMs > 0) stall.gapLeftMs = Math.max(0, stall.gapLeftMs - usedMs);
    if (stall.isConfirmed) this.#totals.stalledMs += usedMs;
    else this.#hold(stall, usedMs);
    return usedMs;
  }

  /** Playback stands; after one frame's time it is a stall, counted from where it began. */
  #hold(stall: Stall, usedMs: number): void {
    stall.heldMs += usedMs;
    if (stall.heldMs <= this.#timeline.frameMs + EPSILON_MS) return;
    stall.isConfirmed = true;
    this.#totals.stallCount += 1;
    this.#totals.stalledMs += stall.heldMs;
  }

  #play(leftMs: number): number {
    const sync = this.#profile.liveSync;
    const rate = this.#isCatchingUp && sync !== null ? sync.rate : 1;
    const limitMs = Math.min(this.#timeline.endMs, this.#timeline.nextHole?.fromMs ?? Number.POSITIVE_INFINITY);
    let mediaMs = Math.min(leftMs * rate, Math.max(0, limitMs - this.#playheadMs));
    if (this.#isCatchingUp && sync !== null) {
      mediaMs = Math.min(mediaMs, Math.max(0, this.bufferMs - sync.targetMs));
    }
    const fromMs = this.#playheadMs;
    this.#playheadMs += mediaMs;
    this.#totals.mediaMs += mediaMs;
    this.#totals.playedMs += mediaMs / rate;
    while (this.#marks[0] !== undefined && this.#marks[0].mediaMs <= this.#playheadMs) {
      const { mediaMs: markedMs, mark } = this.#marks[0];
      this.#marks.shift();
      const atMs = this.#atMs + Math.max(0, markedMs - fromMs) / rate;
      this.#emit({ type: 'passed', atMs, mark });
    }
    return mediaMs / rate;
  }

  /** Changes of state between two steps: buffer empty, hole reached or passed, caught up. */
  #cross(): void {
    const hole = this.#timeline.nextHole;
    if (this.#state === 'playing') {
      const sync = this.#profile.liveSync;
      if (this.#isCatchingUp && sync !== null && this.bufferMs <= sync.targetMs + EPSILON_MS)
        this.#isCatchingUp = false;
      if (hole !== undefined && this.#playheadMs >= hole.fromMs - EPSILON_MS) this.#enterHole(hole.fromMs, hole.toMs);
      else if (this.bufferMs <= EPSILON_MS && this.#isComplete) this.#state = 'ended';
      else if (this.bufferMs <= EPSILON_MS) this.#halt(this.#atMs, 'starved', 0);
      return;
    }
    const isHoleOver = this.#stall?.cause === 'gap' && this.#stall.gapLeftMs === 0;
    if (this.#state === 'rebuffering' && isHoleOver && hole !== undefined) {
      this.#playheadMs = hole.toMs;
      this.#timeline.dropHole();
      this.#resume(this.#atMs);
    }
  }

  #enterHole(fromMs: number, toMs: number): void {
    if (this.#profile.onGap === 'stall') {
      this.#halt(this.#atMs, 'gap', toMs - fromMs);
      return;
    }
    this.#timeline.dropHole();
    this.#playheadMs = toMs;
    this.#jumped(this.#atMs, toMs - fromMs);
  }

  #start(atMs: number): void {
    this.#state = 'playing';
    this.#startupMs = atMs - this.#requestedAtMs;
    this.#emit({ type: 'started', atMs, startupMs: this.#startupMs });
  }

  #halt(atMs: number, cause: StallCause, gapLeftMs: number): void {
    this.#state = 'rebuffering';
    this.#stall = { startedAtMs: atMs, cause, gapLeftMs, heldMs: 0, isConfirmed: false };
  }

  #resume(atMs: number): void {
    const levelMs = this.#stall?.isConfirmed ? this.#profile.resumeLevelMs : 0;
    if (this.bufferMs <= EPSILON_MS || this.bufferMs < levelMs) return;
    this.#state = 'playing';
    this.#reportStall(atMs);
  }

  #reportStall(atMs: number): void {
    const stall = this.#stall;
    if (stall === null) return;
    this.#stall = null;
    if (!stall.isConfirmed) {
      this.#totals.playedMs += stall.heldMs;
      return;
    }
    const durationMs = atMs - stall.startedAtMs;
    this.#emit({
      type: 'stall',
      startedAtMs: stall.startedAtMs,
      durationMs,
      lagMs: this.#lagMs,
      isTainted: durationMs < this.#lagMs,
      cause: stall.cause,
    });
  }

  #chase(atMs: number): void {
    const { liveSync, latencyChase } = this.#profile;
    if (liveSync !== null && this.bufferMs > liveSync.aboveMs) this.#isCatchingUp = true;
    if (latencyChase === null || this.bufferMs <= latencyChase.aboveMs) return;
    const toMs = this.#timeline.endMs - latencyChase.keepMs;
    const skippedMs = toMs - this.#playheadMs;
    this.#playheadMs = toMs;
    while ((this.#timeline.nextHole?.toMs ?? Number.POSITIVE_INFINITY) <= toMs) this.#timeline.dropHole();
    this.#marks = this.#marks.filter(({ mediaMs }) => mediaMs > toMs);
    this.#jumped(atMs, skippedMs);
  }

  #jumped(atMs: number, mediaMs: number): void {
    this.#totals.jumpedMs += mediaMs;
    this.#emit({ type: 'jump', atMs, mediaMs });
  }

  #finish(atMs: number, state: 'ended' | 'failed'): void {
    if (this.#isOver) return;
    this.advance(atMs);
    this.#reportStall(atMs);
    this.#state = state;
  }
}
