import type { Criterion, Scenario } from '../src/index.ts';
import { HLS_CRITERIA, LLHLS_CRITERIA, ROOM_CRITERIA, SHOP_CRITERIA, VIDEO_CRITERIA } from './criteria.ts';

const WATCHES = { executor: 'constant-vus', vus: 1, arriveOverMs: 0 } as const;

/** One of each can miss a start only wholly: one sample is enough here, and says nothing about rare failures. */
function ofOne(criteria: readonly Criterion[]): Criterion[] {
  return criteria.map((criterion) => ({ ...criterion, samplesMin: Math.min(criterion.samplesMin, 1) }));
}

/** Every figure of the strategy with nobody else there (6.1, phase 2): what the platform can do at best. */
export const scenario: Scenario = {
  name: 'baseline',
  purpose:
    'One viewer of each kind, two people in the room and one shopper, for five minutes: every figure without load.',
  durationMs: 300_000,
  viewers: 3,
  groups: {
    flv: { actor: 'flv-viewer', timing: WATCHES, options: { profile: 'mpegts.js', sampleEvery: 1 } },
    hls: {
      actor: 'hls-viewer',
      timing: WATCHES,
      options: { profile: 'hls.js', mode: 'classic', sampleEvery: 1, recordEvery: 1 },
    },
    llhls: {
      actor: 'hls-viewer',
      timing: WATCHES,
      options: { profile: 'hls.js', mode: 'low-latency', sampleEvery: 1, recordEvery: 1 },
    },
    room: {
      actor: 'room-member',
      timing: { executor: 'constant-vus', vus: 2, arriveOverMs: 0 },
      options: { chatEveryMs: 5000 },
    },
    shoppers: { actor: 'shopper', timing: WATCHES, options: { visitEveryMs: 10_000, abandonShare: 0.5 } },
  },
  criteria: ofOne([...VIDEO_CRITERIA, ...HLS_CRITERIA, ...LLHLS_CRITERIA, ...ROOM_CRITERIA, ...SHOP_CRITERIA]),
};
