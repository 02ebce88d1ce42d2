/**
 * What a platform must say about a show whose publisher is lost and comes back (requirements, Readings 4). With a grace window:
 * interrupted, then resumed, and ended only once the window has run out. Without one: ended, then live. Pure: fed with
 * instants, gives counters.
 */
import type { ShowChange } from '../target/target.ts';

/** Counters by metric, for the tag `fault`. */
export type ShowCount = Readonly<Record<string, number>>;

/** It must have said so this soon: after the loss, the return, and the end of the grace window. */
export const SAID_WITHIN_MS = 10_000;
/** Clocks of two processes; an end this much before its time is none before its time. */
const SLACK_MS = 500;

type Loss = {
  readonly fault: string;
  readonly lostAtMs: number;
  backAtMs: number | null;
  isTold: boolean;
  isBackTold: boolean;
};

/** One show in one run. Instants are wall clock, of this host corrected to the target's. */
export class ShowStates {
  readonly #count: (fault: string, counters: ShowCount) => void;
  #loss: Loss | null = null;
  #graceEndsAtMs: number | null = null;
  #hasGrace = false;

  constructor(count: (fault: string, counters: ShowCount) => void) {
    this.#count = count;
  }

  /** The publisher is really gone. */
  lost(fault: string, atMs: number): void {
    this.#loss = { fault, lostAtMs: atMs, backAtMs: null, isTold: false, isBackTold: false };
    this.#count(fault, { show_losses_total: 1, show_losses_told_total: 0, show_ended_early_total: 0 });
  }

  /** The publisher has started again; whether the show goes on is for the platform to say. */
  back(fault: string, atMs: number): void {
    if (this.#loss?.fault !== fault) return;
    this.#loss.backAtMs = atMs;
    // After the grace window there is nothing left to resume.
    if (this.#graceEndsAtMs !== null && atMs > this.#graceEndsAtMs) return;
    this.#count(fault, { show_returns_total: 1, show_returns_told_total: 0 });
  }

  /** What the platform said. */
  said({ state, graceEndsAtWallMs }: ShowChange, atMs: number): void {
    if (state === 'interrupted') {
      this.#hasGrace = true;
      this.#graceEndsAtMs = graceEndsAtWallMs;
      this.#told(atMs);
    } else if (state === 'ended') this.#ended(atMs);
    else {
      this.#graceEndsAtMs = null;
      this.#backTold(atMs);
    }
  }

  /** The run is over: an end that was due and did not come is counted. */
  finish(atMs: number): void {
    const due = this.#graceEndsAtMs;
    if (due === null || this.#loss === null || atMs < due + SAID_WITHIN_MS) return;
    this.#count(this.#loss.fault, { show_ends_due_total: 1, show_ends_on_time_total: 0 });
    this.#graceEndsAtMs = null;
  }

  #told(atMs: number): void {
    const loss = this.#loss;
    if (loss === null || loss.isTold || atMs - loss.lostAtMs > SAID_WITHIN_MS) return;
    loss.isTold = true;
    this.#count(loss.fault, { show_losses_told_total: 1 });
  }

  #backTold(atMs: number): void {
    const loss = this.#loss;
    if (loss === null || loss.backAtMs === null || loss.isBackTold || atMs - loss.backAtMs > SAID_WITHIN_MS) return;
    loss.isBackTold = true;
    this.#count(loss.fault, { show_returns_told_total: 1 });
  }

  #ended(atMs: number): void {
    const due = this.#graceEndsAtMs;
    this.#graceEndsAtMs = null;
    if (this.#loss === null) return;
    const { fault } = this.#loss;
    if (due === null) {
      if (this.#hasGrace) this.#count(fault, { show_ended_early_total: 1 });
      else this.#told(atMs); // a platform without a grace window
      return;
    }
    const isEarly = atMs < due - SLACK_MS;
    if (isEarly) this.#count(fault, { show_ended_early_total: 1 });
    else {
      const isOnTime = atMs <= due + SAID_WITHIN_MS;
      this.#count(fault, { show_ends_due_total: 1, show_ends_on_time_total: isOnTime ? 1 : 0 });
    }
  }
}
