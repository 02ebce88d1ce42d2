/** Adapter of a video server on "another machine" whose clock is wrong; worker threads load it by its URL. */
import type { TargetAdapter } from '../src/index.ts';

/** The adapter. The clock is asked for at `/` of the target's URL. */
export const target: TargetAdapter = {
  kind: 'clocked',
  detect: () => Promise.resolve(null),
  clock: {
    name: 'clock',
    kind: 'read',
    request: { method: 'GET', path: '/' },
    read: ({ body }) => ({ ok: true, value: (body as { nowMs: number }).nowMs }),
  },
};
