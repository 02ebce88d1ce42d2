import type { RampingVus, Scenario } from '../src/index.ts';
import { RAMP_CRITERIA } from './criteria/kpis.ts';
import { mixOf, viewerGroups, watchedBy } from './crowd.ts';

const VIEWERS = 500;
const MINUTE_MS = 60_000;
/** 5 % put something into their cart (2.2 S1 step 7). */
const SHOPPER_SHARE = 0.05;

/** Up in 5 minutes, hold for 30, down in 5 (T-48 to T-51, Readings 1). */
function upAndDown(vus: number): RampingVus {
  return {
    executor: 'ramping-vus',
    startVus: 0,
    stages: [
      { durationMs: 5 * MINUTE_MS, target: vus },
      { durationMs: 30 * MINUTE_MS, target: vus },
      { durationMs: 5 * MINUTE_MS, target: 0 },
    ],
  };
}

/** Settings of this scenario and what they are without `--set`. Shares are from 0 to 1. */
export const parameters = { 'llhls-share': 0 };

/**
 * 500 people over forty minutes. 70 % of them watch by classic HLS and 30 % by FLV; `llhls-share` of all take LL-HLS instead, in
 * equal parts from both (Readings 14).
 */
export function configure({ 'llhls-share': llhlsShare }: typeof parameters): Scenario {
  const mix = mixOf(VIEWERS, llhlsShare);
  return {
    name: 'ramp',
    purpose: 'Five hundred people come over five minutes, stay for thirty, and leave within five.',
    durationMs: 40 * MINUTE_MS,
    viewers: VIEWERS,
    groups: {
      ...viewerGroups(mix, upAndDown),
      room: { actor: 'room-member', timing: upAndDown(VIEWERS), options: { chatEveryMs: 30_000 } },
      shoppers: {
        actor: 'shopper',
        timing: upAndDown(VIEWERS * SHOPPER_SHARE),
        options: { visitEveryMs: MINUTE_MS, abandonShare: 0.5 },
      },
    },
    criteria: watchedBy(mix, RAMP_CRITERIA),
  };
}

/** With the mix that the strategy names. */
export const scenario: Scenario = configure(parameters);
