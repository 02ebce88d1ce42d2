import type { RampingVus, Scenario } from '../src/index.ts';
import { SOAK_CRITERIA } from './criteria/kpis.ts';
import { mixOf, viewerGroups, watchedBy } from './crowd.ts';

const VIEWERS = 300;
const MINUTE_MS = 60_000;

/** Ten minutes up, 5 h 40 min, ten minutes down (T-72 to T-75). */
function sixHours(vus: number): RampingVus {
  return {
    executor: 'ramping-vus',
    startVus: 0,
    stages: [
      { durationMs: 10 * MINUTE_MS, target: vus },
      { durationMs: 340 * MINUTE_MS, target: vus },
      { durationMs: 10 * MINUTE_MS, target: 0 },
    ],
  };
}

/** Settings of this scenario and what they are without `--set`. */
export const parameters = { 'llhls-share': 0 };

/** The strategy's soak test (2.2 S3): a message every two minutes, a look at the products every five, hardly anybody buys. */
export function configure({ 'llhls-share': llhlsShare }: typeof parameters): Scenario {
  const mix = mixOf(VIEWERS, llhlsShare);
  return {
    name: 'soak',
    purpose: 'Three hundred people watch for six hours: nothing may grow, on the platform or in the lab.',
    durationMs: 360 * MINUTE_MS,
    viewers: VIEWERS,
    groups: {
      ...viewerGroups(mix, sixHours, { sampleEvery: 30 }),
      room: { actor: 'room-member', timing: sixHours(VIEWERS), options: { chatEveryMs: 2 * MINUTE_MS } },
      // 2 % of 300 in an hour are six orders: one visitor in fifteen thousand seconds would be none in a short run.
      shoppers: {
        actor: 'shopper',
        timing: sixHours(1),
        options: { visitEveryMs: 5 * MINUTE_MS, abandonShare: 0.5 },
      },
    },
    criteria: watchedBy(mix, SOAK_CRITERIA),
  };
}

/** With the mix that the strategy names. */
export const scenario: Scenario = configure(parameters);
