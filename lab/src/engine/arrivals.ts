/**
 * Open arrivals: when somebody comes, how long they stay, and which virtual user plays them. Pure: times are
 * milliseconds from the start of the run.
 */
import { assertNever } from '../assert-never.ts';
import type { Random } from './random.ts';
import type { SessionLength } from './scenario.ts';

/** The rate runs in a straight line from one to the other, in arrivals per millisecond. */
export type RateStretch = { readonly lengthMs: number; readonly fromRate: number; readonly toRate: number };

/** One stay. `slot`: the virtual user that plays it, from 0; stays of one slot never overlap. */
export type Stay = { readonly slot: number; readonly startAtMs: number; readonly stopAtMs: number };

/** More arrivals than this are refused: a plan is made, and kept, before the run. */
export const ARRIVALS_MAX = 200_000;

/** The scenario cannot be planned; the message says why. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
}

/**
 * Instants at which the expected number of arrivals reaches 0, 1, 2 … (`even`) or grows by exponential steps of mean 1
 * (`poisson`): the second is a Poisson process whose rate may change. Throws {@link PlanError} beyond {@link ARRIVALS_MAX}.
 */
export function arrivalTimes(
  stretches: readonly RateStretch[],
  spacing: 'even' | 'poisson',
  random: Random,
): readonly number[] {
  const times: number[] = [];
  const step = (): number => (spacing === 'even' ? 1 : -Math.log(1 - random()));
  let next = spacing === 'even' ? 0 : step();
  let [startMs, expected] = [0, 0];
  for (const stretch of stretches) {
    const total = ((stretch.fromRate + stretch.toRate) / 2) * stretch.lengthMs;
    for (; next < expected + total; next += step()) {
      if (times.length >= ARRIVALS_MAX) throw new PlanError(`more than ${ARRIVALS_MAX} arrivals: lower the rate`);
      times.push(Math.round(startMs + timeOf(stretch, next - expected)));
    }
    startMs += stretch.lengthMs;
    expected += total;
  }
  return times;
}

/** When `count` arrivals are due in this stretch: solves from·t + slope·t²/2 = count. */
function timeOf({ lengthMs, fromRate, toRate }: RateStretch, count: number): number {
  const slope = (toRate - fromRate) / lengthMs;
  const root = Math.sqrt(Math.max(0, fromRate * fromRate + 2 * slope * count));
  const sum = fromRate + root; // the form of the solution that stays exact as the slope goes to 0
  return sum === 0 ? 0 : Math.min(lengthMs, (2 * count) / sum);
}

const STAY_MS_MIN = 1;

/** Draws a length of stay, at least a millisecond. */
export function drawStayMs(session: SessionLength, random: Random): number {
  switch (session.kind) {
    case 'constant':
      return Math.max(STAY_MS_MIN, session.ms);
    case 'exponential':
      return Math.max(STAY_MS_MIN, -Math.log(1 - random()) * session.meanMs);
    case 'lognormal':
      return Math.max(STAY_MS_MIN, session.medianMs * Math.exp(session.sigma * drawNormal(random)));
    default:
      return assertNever(session);
  }
}

/** The mean of what {@link drawStayMs} draws. */
export function meanStayMs(session: SessionLength): number {
  if (session.kind === 'constant') return session.ms;
  if (session.kind === 'exponential') return session.meanMs;
  return session.medianMs * Math.exp(session.sigma ** 2 / 2);
}

/** Standard normal (Box and Muller). */
function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * Gives each arrival a free slot, the lowest one, until `endMs`; an arrival that finds none is dropped. Every arrival
 * draws its stay, dropped or not: more slots change who is dropped and nothing else.
 */
export function seatArrivals(
  times: readonly number[],
  options: { readonly slots: number; readonly endMs: number; readonly session: SessionLength; readonly random: Random },
): { readonly stays: readonly Stay[]; readonly droppedAtMs: readonly number[] } {
  const freeAtMs = Array.from({ length: options.slots }, () => 0);
  const stays: Stay[] = [];
  const droppedAtMs: number[] = [];
  for (const startAtMs of times) {
    const stopAtMs = Math.min(options.endMs, Math.round(startAtMs + drawStayMs(options.session, options.random)));
    if (stopAtMs <= startAtMs) continue; // the last instant of the run
    const slot = freeAtMs.findIndex((freeMs) => freeMs <= startAtMs);
    if (slot < 0) droppedAtMs.push(startAtMs);
    else {
      freeAtMs[slot] = stopAtMs;
      stays.push({ slot, startAtMs, stopAtMs });
    }
  }
  return { stays, droppedAtMs };
}
