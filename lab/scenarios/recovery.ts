import type { Scenario } from '../src/index.ts';
import { MEDIA_KILLED, PARTITION, PUBLISHER_GONE, RECOVERY_CRITERIA } from './criteria/recovery.ts';
import { SHOW_CRITERIA } from './criteria/show-states.ts';

/** Settings of this scenario and what they are without `--set`: how long the faults last, for runs too short for whole ones. */
export const parameters = { 'partition-seconds': 10, 'gone-seconds': 5 };

/**
 * The strategy's recovery test (2.2 S4), its video part. The publisher and the media server have to be named:
 * `--process media-server=auto` (who listens there) or `=<pid>`, and `--seller` or `--rtmp` for a publisher of the lab's own, or
 * `--command publisher:stop=… --command publisher:start=…`. What is not named is skipped and its criterion inconclusive.
 */
export function configure({ 'partition-seconds': partition, 'gone-seconds': gone }: typeof parameters): Scenario {
  return {
    name: 'recovery',
    purpose:
      'Three hundred viewers live through a network partition, a publisher who drops out, and a killed media server.',
    durationMs: 1_200_000,
    viewers: 300,
    groups: {
      viewers: {
        actor: 'flv-viewer',
        timing: {
          executor: 'ramping-vus',
          startVus: 0,
          stages: [
            { durationMs: 240_000, target: 300 },
            { durationMs: 960_000, target: 300 },
          ],
        },
        options: { profile: 'mpegts.js', sampleEvery: 10 },
      },
    },
    faults: [
      { name: PARTITION, atMs: 300_000, durationMs: partition * 1000, fault: { kind: 'partition' }, on: ['video'] },
      {
        name: PUBLISHER_GONE,
        atMs: 600_000,
        durationMs: gone * 1000,
        fault: { kind: 'publisher-stop' },
        on: ['video'],
      },
      {
        name: MEDIA_KILLED,
        atMs: 900_000,
        durationMs: gone * 1000,
        fault: { kind: 'process-kill', process: 'media-server' },
        on: ['video'],
      },
    ],
    criteria: [...RECOVERY_CRITERIA, ...SHOW_CRITERIA],
  };
}

/** With faults as long as the strategy has them. */
export const scenario: Scenario = configure(parameters);
