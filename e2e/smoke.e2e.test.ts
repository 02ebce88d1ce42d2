import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Floor, startFloor } from './floor.ts';
import { FlvViewer } from './viewer.ts';
import { waitFor } from './wait-for.ts';

/** `npm run lab -- run smoke` against a whole system: its verdict gates this suite. LAB_SMOKE_DURATION shortens it. */
const DURATION = process.env.LAB_SMOKE_DURATION ?? '60s';
let floor: Floor;

beforeAll(async () => {
  floor = await startFloor();
  await waitFor(
    'the demo show to be on air',
    () => FlvViewer.open(floor.videoUrl).then((viewer) => viewer.close() ?? true),
    20_000,
  );
});
afterAll(() => floor?.stop());

test('the lab passes smoke against the demo show and leaves a report', async () => {
  const out = join(floor.dataDir, 'smoke');
  const { code, output } = await lab(['run', 'smoke', '--target', floor.webUrl, '--duration', DURATION, '--out', out]);
  expect(code, output).toBe(0);
  expect(output).not.toContain('READY'); // on one machine: judged, but never called ready
  expect(existsSync(join(out, 'report.html'))).toBe(true);
  const verdict = JSON.parse(readFileSync(join(out, 'verdict.json'), 'utf8')) as { exitCode: number };
  expect(verdict.exitCode).toBe(0);
});

test('the lab says that a target is not there', async () => {
  const { code, output } = await lab(['run', 'smoke', '--target', 'http://127.0.0.1:1', '--duration', '5s']);
  expect(code, output).toBe(6);
});

function lab(args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [resolve(import.meta.dirname, '../lab/src/cli/main.ts'), ...args]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.once('exit', (code) => done({ code, output }));
  });
}
