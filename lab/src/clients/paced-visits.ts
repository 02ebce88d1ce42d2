import { monotonicMs } from '../clock.ts';
import { exponentialMs, type Random } from '../engine/random.ts';
import { pause } from './actor.ts';

/** How often something is due, and until when. Times are monotonic milliseconds. */
export type Pacing = {
  readonly firstAtMs: number;
  readonly untilMs: number;
  /** Mean of the exponential gaps (Poisson arrivals). */
  readonly meanMs: number;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** How late the timer was, each time. */
  readonly onLateness: (lateMs: number) => void;
  /** Something was due while the previous one still ran: it does not happen, and that is a result. */
  readonly onDropped: () => void;
};

/** Runs `visit` at planned instants, which it is handed: an answer is measured from there. */
export async function runPaced(pacing: Pacing, visit: (dueMs: number, index: number) => Promise<void>): Promise<void> {
  let dueMs = pacing.firstAtMs;
  for (let index = 0; dueMs < pacing.untilMs; index += 1) {
    if (!(await pause(dueMs - monotonicMs(), pacing.signal))) return;
    pacing.onLateness(Math.max(0, monotonicMs() - dueMs));
    await visit(dueMs, index);
    dueMs += exponentialMs(pacing.random, pacing.meanMs);
    while (dueMs < monotonicMs() && dueMs < pacing.untilMs) {
      pacing.onDropped();
      dueMs += exponentialMs(pacing.random, pacing.meanMs);
    }
  }
  await pause(pacing.untilMs - monotonicMs(), pacing.signal); // nothing more is due, but the user stays as planned
}
