import type { Criterion, RampingVus, Scenario } from '../src/index.ts';
import { HLS_CRITERIA, LLHLS_CRITERIA, ROOM_CRITERIA, SHOP_CRITERIA, VIDEO_CRITERIA } from './criteria.ts';

const VIEWERS = 500;
const MINUTE_MS = 60_000;
/** Of those who do not watch by LL-HLS (T-55, 2.2 S1 step 4). */
const CLASSIC_SHARE = 0.7;
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
  const low = Math.round(VIEWERS * Math.min(1, Math.max(0, llhlsShare)));
  const classic = Math.round((VIEWERS - low) * CLASSIC_SHARE);
  const flv = VIEWERS - low - classic;
  return {
    name: 'ramp',
    purpose: 'Five hundred people come over five minutes, stay for thirty, and leave within five.',
    durationMs: 40 * MINUTE_MS,
    viewers: VIEWERS,
    groups: {
      ...(flv === 0
        ? {}
        : {
            'flv-viewers': {
              actor: 'flv-viewer',
              timing: upAndDown(flv),
              options: { profile: 'mpegts.js', sampleEvery: 10 },
            } as const,
          }),
      ...(classic === 0
        ? {}
        : {
            'hls-viewers': {
              actor: 'hls-viewer',
              timing: upAndDown(classic),
              options: { profile: 'hls.js', mode: 'classic', sampleEvery: 10, recordEvery: 100 },
            } as const,
          }),
      ...(low === 0
        ? {}
        : {
            'llhls-viewers': {
              actor: 'hls-viewer',
              timing: upAndDown(low),
              options: { profile: 'hls.js', mode: 'low-latency', sampleEvery: 10, recordEvery: 100 },
            } as const,
          }),
      room: { actor: 'room-member', timing: upAndDown(VIEWERS), options: { chatEveryMs: 30_000 } },
      shoppers: {
        actor: 'shopper',
        timing: upAndDown(VIEWERS * SHOPPER_SHARE),
        options: { visitEveryMs: MINUTE_MS, abandonShare: 0.5 },
      },
    },
    criteria: [
      ...(flv === 0 ? [] : inHold(VIDEO_CRITERIA)),
      ...(classic === 0 ? [] : inHold(HLS_CRITERIA)),
      ...(low === 0 ? [] : inHold(LLHLS_CRITERIA)),
      ...ROOM_CRITERIA,
      ...SHOP_CRITERIA,
    ],
  };
}

/** In the hold of the ramp half a percent of stalled time is the limit (T-17, Readings 3). */
function inHold(criteria: readonly Criterion[]): Criterion[] {
  return criteria.map((criterion) =>
    criterion.id.endsWith('rebuffer-ratio') ? { ...criterion, limit: 0.5 } : criterion,
  );
}

/** With the mix that the strategy names. */
export const scenario: Scenario = configure(parameters);
