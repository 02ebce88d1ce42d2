import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { VIDEO_CRITERIA } from '../scenarios/criteria.ts';
import { runScenario } from '../src/index.ts';
import { REPORT_FORMATS, writeReport } from '../src/report/write-report.ts';
import { readRunFolder } from '../src/run-folder/run-reader.ts';
import { verdictOf } from '../src/run-folder/run-verdict.ts';
import { findTarget } from '../src/target/load-target.ts';
import { startPacedFlvServer } from './paced-flv-server.ts';
import { viewersOnly } from './run-against.ts';

test('a small run leaves every kind of report, the same bytes each time it is asked', { timeout: 90_000 }, async () => {
  const parent = await mkdtemp(join(tmpdir(), 'showfloor-lab-'));
  const server = await startPacedFlvServer();
  try {
    const folder = join(parent, 'run');
    const { description, adapter, adapterUrl } = await findTarget(new URL(server.url));
    const scenario = viewersOnly({ durationMs: 5000, viewers: 3, criteria: VIDEO_CRITERIA });
    await runScenario({ scenario, target: description, adapter, adapterUrl, folder, size: { seed: 1 }, workers: 1 });
    const [first, second] = [await written(folder), await written(folder)];
    expect(Object.keys(first).sort()).toEqual([
      'criteria.csv',
      'junit.xml',
      'report.html',
      'report.md',
      'series.csv',
      'verdict.json',
    ]);
    expect(second).toEqual(first);
    expect(first['report.html']).not.toMatch(/<script|<link|\bsrc=|https?:\/\/(?!127\.0\.0\.1|www\.w3\.org)/);
    expect(first['junit.xml']?.match(/<testcase /g)).toHaveLength(VIDEO_CRITERIA.length + 1);
    expect(first['series.csv']?.split('\r\n').length).toBeGreaterThan(4);
  } finally {
    await server.close();
    await rm(parent, { recursive: true, force: true });
  }
});

/** What the report wrote, by file name. */
async function written(folder: string): Promise<Record<string, string>> {
  const run = await readRunFolder(folder);
  await writeReport(run, verdictOf(run), REPORT_FORMATS);
  const names = (await readdir(folder)).filter((name) => /^(report|junit|series\.csv|criteria|verdict)/.test(name));
  const files = await Promise.all(
    names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const),
  );
  return Object.fromEntries(files);
}
