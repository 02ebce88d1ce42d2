import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runScenario } from '../src/index.ts';
import { findTarget } from '../src/target/load-target.ts';
import { startPacedFlvServer } from './paced-flv-server.ts';
import { total, viewersOnly } from './run-against.ts';

test('a run that goes on takes more viewers, lets some go, and says that it was steered', async () => {
  const server = await startPacedFlvServer();
  const parent = await mkdtemp(join(tmpdir(), 'showfloor-lab-'));
  try {
    const { description, adapter, adapterUrl } = await findTarget(new URL(server.url));
    const folder = join(parent, 'run');
    const wishes = new Map([
      [3, '+4 viewers\n'],
      [6, '-5\n+2 nobody\n'],
    ]);
    const result = await runScenario({
      scenario: viewersOnly({ durationMs: 9000, viewers: 3 }),
      target: description,
      adapter,
      adapterUrl,
      folder,
      size: { seed: 1 },
      workers: 2,
      onProgress: ({ elapsedMs }) => {
        const wish = wishes.get(elapsedMs / 1000);
        if (wish !== undefined) void appendFile(join(folder, 'steer'), wish);
      },
    });
    const { run, verdict } = result;
    const named = run.events
      .filter(({ name }) => name.startsWith('steer'))
      .map(({ name, detail }) => ({ name, ...detail }));
    expect(named).toEqual([
      { name: 'steered', group: 'viewers', wanted: 4, applied: 4 },
      { name: 'steered', group: 'viewers', wanted: -5, applied: -5 },
      { name: 'steering_refused', line: '+2 nobody', groups: 'viewers' },
    ]);
    expect(total(result, 'play_attempts_total')).toBe(7);
    const levels = run.lines.map(({ gauges }) => gauges['vus_active{actor=flv-viewer,group=viewers}'] ?? 0);
    expect([Math.max(...levels), levels[7]]).toEqual([7, 2]);
    expect(run.manifest.steering?.map(({ applied }) => applied)).toEqual([4, -5]);
    expect(verdict.stamps).toContain('steered');
    expect(verdict.isReady).toBe(false);
    expect(await readFile(join(folder, 'steer'), 'utf8')).toContain('+4 viewers');
  } finally {
    await server.close();
    await rm(parent, { recursive: true, force: true });
  }
});
