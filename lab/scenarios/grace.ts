import type { Scenario } from '../src/index.ts';
import { SHOW_CRITERIA, SHOW_END_CRITERIA } from './criteria/show-states.ts';

const SECOND_MS = 1000;
const GONE_AT_MS = 10 * SECOND_MS;
/** How long the end may take to be said, and some room. */
const AFTER_MS = 12 * SECOND_MS;

/** Settings of this scenario and what they are without `--set`. `grace-seconds`: the grace window of the target. */
export const parameters = { 'grace-seconds': 120 };

/**
 * A publisher who does not come back (2.2 S4, Readings 4): interrupted at once, ended when the grace window has run out, not before.
 * The publisher is the lab's own (`--seller`), or named by `--process publisher=…`.
 */
export function configure({ 'grace-seconds': graceSeconds }: typeof parameters): Scenario {
  const goneMs = graceSeconds * SECOND_MS + AFTER_MS;
  return {
    name: 'grace',
    purpose:
      'The publisher drops out and does not come back in time: the show is interrupted, and ends when its grace does.',
    durationMs: GONE_AT_MS + goneMs + 5 * SECOND_MS,
    viewers: 10,
    groups: {
      viewers: {
        actor: 'flv-viewer',
        timing: { executor: 'constant-vus', vus: 10, arriveOverMs: 2 * SECOND_MS },
        options: { profile: 'mpegts.js', sampleEvery: 5 },
      },
    },
    faults: [
      {
        name: 'publisher-away',
        atMs: GONE_AT_MS,
        durationMs: goneMs,
        fault: { kind: 'publisher-stop' },
        on: ['video'],
      },
    ],
    criteria: [...SHOW_CRITERIA.filter(({ id }) => id !== 'show-return-told'), ...SHOW_END_CRITERIA],
  };
}

/** With the grace window that Showfloor has when nobody sets another. */
export const scenario: Scenario = configure(parameters);
