import type { Scenario } from '../src/index.ts';
import { ROOM_CRITERIA, VIDEO_CRITERIA } from './criteria.ts';

/** The shape of a capacity ramp in three minutes: up, hold, down. */
export const scenario: Scenario = {
  name: 'ramp-mini',
  purpose: 'Viewers come over a minute, stay for one and a half, and leave within half a minute.',
  durationMs: 180_000,
  viewers: 50,
  groups: {
    viewers: {
      actor: 'flv-viewer',
      timing: {
        executor: 'ramping-vus',
        startVus: 0,
        stages: [
          { durationMs: 60_000, target: 50 },
          { durationMs: 90_000, target: 50 },
          { durationMs: 30_000, target: 0 },
        ],
      },
      options: { profile: 'mpegts.js', sampleEvery: 5 },
    },
    room: {
      actor: 'room-member',
      timing: {
        executor: 'ramping-vus',
        startVus: 0,
        stages: [
          { durationMs: 60_000, target: 50 },
          { durationMs: 90_000, target: 50 },
          { durationMs: 30_000, target: 0 },
        ],
      },
      options: { chatEveryMs: 30_000 },
    },
  },
  criteria: [...VIDEO_CRITERIA, ...ROOM_CRITERIA],
};
