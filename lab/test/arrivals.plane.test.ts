import { expect, test } from 'vitest';
import type { Scenario } from '../src/index.ts';
import { startPacedFlvServer } from './paced-flv-server.ts';
import { runAgainst, total, viewersOnly } from './run-against.ts';

test('viewers arrive, stay for their time and leave; those without a place are a result', async () => {
  const server = await startPacedFlvServer();
  try {
    const scenario: Scenario = {
      ...viewersOnly({
        durationMs: 8000,
        viewers: 4,
        criteria: [
          {
            id: 'dropped',
            title: 'Arrivals without a place',
            meaning: '',
            source: '',
            plane: 'video',
            isMandatory: true,
            measure: { kind: 'count', metric: 'dropped_iterations_total', outOf: 'arrivals_total' },
            op: '<=',
            limit: 0,
            unit: 'count',
            during: 'run',
            samplesMin: 1,
          },
        ],
      }),
      groups: {
        crowd: {
          actor: 'flv-viewer',
          timing: {
            executor: 'constant-arrival-rate',
            rate: 2,
            timeUnitMs: 1000,
            preAllocatedVus: 4,
            spacing: 'even',
            session: { kind: 'constant', ms: 2600 },
          },
          options: { profile: 'mpegts.js', sampleEvery: 2 },
        },
      },
    };
    const result = await runAgainst(server.url, scenario);
    const { run, verdict } = result;
    // Two per second who stay for 2.6 s need five or six places.
    expect(total(result, 'arrivals_total')).toBe(16);
    const dropped = total(result, 'dropped_iterations_total');
    expect(dropped).toBe(16 - total(result, 'play_attempts_total'));
    expect(dropped).toBeGreaterThanOrEqual(4);
    expect(verdict.judgements[0]).toMatchObject({ outcome: 'fail', value: dropped, samples: 16 });
    expect(run.manifest.groups.crowd).toEqual({ actor: 'flv-viewer', executor: 'constant-arrival-rate', vus: 4 });
    const levels = run.lines.map(({ gauges }) => gauges['vus_active{actor=flv-viewer,group=crowd}'] ?? 0);
    expect(Math.max(...levels)).toBe(4);
    expect(levels.at(-1)).toBe(0);
  } finally {
    await server.close();
  }
});
