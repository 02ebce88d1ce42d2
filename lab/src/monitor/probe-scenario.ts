/** A few viewers of each kind for a monitor: canaries, too few to be a load, watching for as long as it goes on. */
import type { Group, Scenario } from '../engine/scenario.ts';

/** Without `--duration` a monitor with viewers ends after this. */
export const PROBE_MS_DEFAULT = 86_400_000;
const ARRIVE_MS = 1000;

/** `viewers` of each way of watching; those that the target lacks are left out when it runs. It judges nothing. */
export function probeScenario(viewers: number, durationMs: number): Scenario {
  const timing = { executor: 'constant-vus', vus: viewers, arriveOverMs: ARRIVE_MS } as const;
  const hls = (mode: 'classic' | 'low-latency'): Group => ({
    actor: 'hls-viewer',
    timing,
    options: { profile: 'hls.js', mode, sampleEvery: 1 },
  });
  return {
    name: 'monitor',
    purpose: `Looks at a platform with ${viewers} ${viewers === 1 ? 'viewer' : 'viewers'} of each kind.`,
    durationMs,
    viewers,
    groups: {
      'flv-probes': { actor: 'flv-viewer', timing, options: { profile: 'mpegts.js', sampleEvery: 1 } },
      'hls-probes': hls('classic'),
      'llhls-probes': hls('low-latency'),
    },
    criteria: [],
  };
}
