import type { RampingVus, Scenario } from '../src/index.ts';
import { SPIKE_CRITERIA } from './criteria/kpis.ts';
import { mixOf, viewerGroups, watchedBy } from './crowd.ts';

const VIEWERS = 500;
/** A tenth of the crowd is there before and after. */
const CALM_SHARE = 0.1;
const MINUTE_MS = 60_000;

/** 50 for two minutes, 500 within 30 s, there until 10:00, 50 again within 30 s, until 15:00 (T-62 to T-67). */
function spike(vus: number): RampingVus {
  const calm = Math.max(1, Math.round(vus * CALM_SHARE));
  return {
    executor: 'ramping-vus',
    startVus: calm,
    stages: [
      { durationMs: 2 * MINUTE_MS, target: calm },
      { durationMs: MINUTE_MS / 2, target: vus },
      { durationMs: 7.5 * MINUTE_MS, target: vus },
      { durationMs: MINUTE_MS / 2, target: calm },
      { durationMs: 4.5 * MINUTE_MS, target: calm },
    ],
  };
}

/** Settings of this scenario and what they are without `--set`. */
export const parameters = { 'llhls-share': 0 };

/** The strategy's spike test (2.2 S2). */
export function configure({ 'llhls-share': llhlsShare }: typeof parameters): Scenario {
  const mix = mixOf(VIEWERS, llhlsShare);
  return {
    name: 'spike',
    purpose: 'Fifty people watch; within half a minute five hundred do; ten minutes in, most of them leave at once.',
    durationMs: 15 * MINUTE_MS,
    viewers: VIEWERS,
    groups: {
      ...viewerGroups(mix, spike),
      room: { actor: 'room-member', timing: spike(VIEWERS), options: { chatEveryMs: MINUTE_MS / 2 } },
      shoppers: {
        actor: 'shopper',
        timing: spike(VIEWERS * 0.05),
        options: { visitEveryMs: MINUTE_MS, abandonShare: 0.5 },
      },
    },
    criteria: watchedBy(mix, SPIKE_CRITERIA),
  };
}

/** With the mix that the strategy names. */
export const scenario: Scenario = configure(parameters);
