import type { Scenario } from '../src/index.ts';
import { ROOM_CRITERIA, SHOP_CRITERIA, VIDEO_CRITERIA } from './criteria.ts';

/** One minute of everything, small: gates every change. */
export const scenario: Scenario = {
  name: 'smoke',
  purpose: 'Twenty people watch, talk and buy for one minute.',
  durationMs: 60_000,
  viewers: 20,
  groups: {
    viewers: {
      actor: 'flv-viewer',
      timing: { executor: 'constant-vus', vus: 20, arriveOverMs: 5000 },
      options: { profile: 'mpegts.js', sampleEvery: 4 },
    },
    room: {
      actor: 'room-member',
      timing: { executor: 'constant-vus', vus: 20, arriveOverMs: 5000 },
      options: { chatEveryMs: 10_000 },
    },
    shoppers: {
      actor: 'shopper',
      timing: { executor: 'constant-vus', vus: 3, arriveOverMs: 2000 },
      options: { visitEveryMs: 6000, abandonShare: 0.5 },
    },
  },
  criteria: [...VIDEO_CRITERIA, ...ROOM_CRITERIA, ...SHOP_CRITERIA],
};
