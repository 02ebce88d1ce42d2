import type { Scenario } from '../src/index.ts';
import { HLS_CRITERIA, LLHLS_CRITERIA, ROOM_CRITERIA, SHOP_CRITERIA, VIDEO_CRITERIA } from './criteria.ts';

/** One minute of everything, small: gates every change. */
export const scenario: Scenario = {
  name: 'smoke',
  purpose: 'Twenty people watch by FLV, HLS and LL-HLS, talk and buy for one minute.',
  durationMs: 60_000,
  viewers: 20,
  groups: {
    viewers: {
      actor: 'flv-viewer',
      timing: { executor: 'constant-vus', vus: 10, arriveOverMs: 5000 },
      options: { profile: 'mpegts.js', sampleEvery: 4 },
    },
    'hls-viewers': {
      actor: 'hls-viewer',
      timing: { executor: 'constant-vus', vus: 5, arriveOverMs: 5000 },
      options: { profile: 'hls.js', mode: 'classic', sampleEvery: 2, recordEvery: 5 },
    },
    'llhls-viewers': {
      actor: 'hls-viewer',
      timing: { executor: 'constant-vus', vus: 5, arriveOverMs: 5000 },
      options: { profile: 'hls.js', mode: 'low-latency', sampleEvery: 2, recordEvery: 5 },
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
  criteria: [...VIDEO_CRITERIA, ...HLS_CRITERIA, ...LLHLS_CRITERIA, ...ROOM_CRITERIA, ...SHOP_CRITERIA],
};
