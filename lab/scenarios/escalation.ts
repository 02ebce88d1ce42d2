import type { Scenario } from '../src/index.ts';
import { indicative } from './criteria/indicative.ts';
import { PLAYBACK_CRITERIA } from './criteria/kpis.ts';
import { mixOf, viewerGroups, watchedBy } from './crowd.ts';

const VIEWERS = 500;
const MINUTE_MS = 60_000;
/** Everybody is there after a fifth of the step. */
const ARRIVE_SHARE = 0.2;
/** So few viewers may watch in one way. */
const SAMPLES_MIN = 3;

/** Settings of this scenario and what they are without `--set`; sizes are viewers. */
export const parameters = { 'llhls-share': 0, max: 10_000, goal: 500, resolution: 5, repetitions: 3 };

/**
 * The breaking point (5.3): 0 → 100 → 300 → 500 → 700 → 1000, five minutes each, and on, until a mandatory criterion fails; then
 * halving between the last size that held and the first that did not (Readings 42). This is one step of it.
 */
export function configure(numbers: typeof parameters): Scenario {
  const mix = mixOf(VIEWERS, numbers['llhls-share']);
  const durationMs = 5 * MINUTE_MS;
  return {
    name: 'escalation',
    purpose: 'More and more people come until something breaks: how many, and what gave out first.',
    durationMs,
    viewers: VIEWERS,
    groups: viewerGroups(mix, (vus) => ({ executor: 'constant-vus', vus, arriveOverMs: ARRIVE_SHARE * durationMs })),
    // A step is judged from what few viewers there are; what one step lacks in samples, the repetitions at the knee make good.
    criteria: indicative(watchedBy(mix, PLAYBACK_CRITERIA), SAMPLES_MIN),
    escalation: {
      levels: [100, 300, 500, 700, 1000],
      viewersMax: numbers.max,
      resolutionPercent: numbers.resolution,
      kneeRuns: numbers.repetitions,
      goalViewers: numbers.goal,
    },
  };
}

/** As the strategy names it. */
export const scenario: Scenario = configure(parameters);
