import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PacedFlvServer, startPacedFlvServer } from './paced-flv-server.ts';

const MAIN = resolve(import.meta.dirname, '../src/cli/main.ts');
let folder: string;
let server: PacedFlvServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'showfloor-lab-'));
  server = await startPacedFlvServer();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

type Finished = { readonly code: number | null; readonly output: string };

function start(args: readonly string[]): { child: ChildProcess; finished: Promise<Finished>; output: () => string } {
  const child = spawn(process.execPath, [MAIN, ...args]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const finished = new Promise<Finished>((done) => child.once('exit', (code) => done({ code, output })));
  return { child, finished, output: () => output };
}

const lab = (...args: string[]): Promise<Finished> => start(args).finished;

describe('usage', () => {
  test('help names the commands, examples and exit codes', async () => {
    const { code, output } = await lab('--help');
    expect(code).toBe(0);
    for (const words of ['run smoke --target', 'report', 'INVALID', '130 interrupted']) expect(output).toContain(words);
  });

  test.each([
    ['--target', 'http://bob:hunter2@example.com/x.flv', /must not hold a user or password/],
    ['--collect', 'redis=http://:hunter2@example.com', /redis:\/\/\[user\]:password@host:port/],
  ])('a login in a refused %s is not repeated', async (flag, value, message) => {
    const { code, output } = await lab('run', 'smoke', flag, value);
    expect(code).toBe(2);
    expect(output).toMatch(message);
    expect(output).not.toContain('hunter2');
  });

  test.each([
    ['an unknown command', ['frobnicate'], /unknown command/],
    [
      'an unknown scenario',
      ['run', 'nothing', '--target', 'http://127.0.0.1:1'],
      /baseline, churn, .*, ramp, ramp-mini/,
    ],
    ['a target that is no URL', ['run', 'smoke', '--target', 'localhost'], /http or https URL/],
    [
      'a duration that is none',
      ['run', 'smoke', '--target', 'http://127.0.0.1:1', '--duration', 'soon'],
      /at least 1 s/,
    ],
    [
      'two lengths',
      ['run', 'smoke', '--target', 'http://127.0.0.1:1', '--duration', '5s', '--time-scale', '1'],
      /one of them/,
    ],
    [
      'repetitions of a run that kills a pid',
      ['run', 'smoke', '--target', 'http://127.0.0.1:1', '--repeat', '2', '--process', 'media-server=99999'],
      /another pid/,
    ],
    ['a process without a pid', ['run', 'smoke', '--process', 'media-server=1'], /a name and a pid/],
    ['a command without a verb', ['run', 'smoke', '--command', 'publisher=true'], /stop or start/],
    ['a folder that is no run', ['report', tmpdir()], /not a run folder/],
    [
      'a number that the scenario does not know',
      ['run', 'ramp', '--target', 'http://127.0.0.1:1', '--set', 'hls=1'],
      /knows no hls; what can be set: llhls-share/,
    ],
    [
      'a scenario without numbers',
      ['run', 'smoke', '--target', 'http://127.0.0.1:1', '--set', 'x=1'],
      /nothing can be set/,
    ],
    ['a setting that is none', ['run', 'ramp', '--set', 'llhls-share'], /a name and a number/],
    ['a recording that is not there', ['replay', '/nowhere/events.jsonl'], /is not there/],
  ])('%s: one clear line, exit code 2', async (_name, args, message) => {
    const { code, output } = await lab(...args);
    expect([code, output]).toEqual([2, expect.stringMatching(message)]);
    expect(output).not.toMatch(/\n\s+at /); // no stack
  });

  test.each([
    ['a scenario that does not load', 'broken.ts', 'export const scenario = {', /cannot be loaded/],
    ['a scenario that is none', 'empty.ts', 'export const scenario = { name: "x" };', /is no scenario/],
  ])('%s: exit code 2', async (_name, file, text, message) => {
    const path = join(folder, file);
    writeFileSync(path, text);
    const { code, output } = await lab('run', path, '--target', server.url);
    expect([code, output]).toEqual([2, expect.stringMatching(message)]);
  });

  test.each([
    ['half a manifest', { 'manifest.json': '{"version": 1,' }],
    ['a manifest of another kind', { 'manifest.json': '{"version": 1}' }],
    ['a damaged line', { 'manifest.json': '{"version": 1}', 'series.jsonl': 'not json\n' }],
  ])('a run folder with %s: exit code 2, not "a criterion failed"', async (name, files) => {
    const damaged = join(folder, name);
    mkdirSync(damaged);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(damaged, file), text);
    const { code, output } = await lab('report', damaged);
    expect([code, output]).toEqual([2, expect.stringMatching(/cannot be read/)]);
    expect(output).not.toMatch(/\n\s+at /); // no stack
  });

  test('a folder that cannot be made: exit code 2', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const { code, output } = await lab('run', 'smoke', '--target', server.url, '--out', join(file, 'run'));
    expect([code, output]).toEqual([2, expect.stringMatching(/ENOTDIR/)]);
  });

  test('a target that is not there: exit code 6', async () => {
    const { code, output } = await lab('run', 'smoke', '--target', 'http://127.0.0.1:1/live/x.flv');
    expect([code, output]).toEqual([6, expect.stringMatching(/127\.0\.0\.1:1.*does not answer/)]);
  });
});

describe('runs', () => {
  test('somebody else’s server: planes it lacks are not applicable, and a second report is the same', async () => {
    const out = join(folder, 'run');
    const { code, output } = await lab('run', 'smoke', '--target', server.url, '--duration', '8s', '--out', out);
    expect(output).toMatch(/not applicable: .*no realtime plane/);
    expect([0, 3, 4]).toContain(code); // the machine decides whether the generator can be trusted; the next lines hold always
    expect(output).not.toContain('READY');
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    const again = await lab('report', out);
    expect(again.code).toBe(code);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toBe(page);
    const used = await lab('run', 'smoke', '--target', server.url, '--duration', '8s', '--out', out);
    expect([used.code, used.output]).toEqual([2, expect.stringMatching(/is not empty/)]);
  });

  test('repetitions have a folder each, and a summary whose verdict is the worst of theirs', async () => {
    const out = join(folder, 'repeated');
    const size = ['--duration', '4s', '--viewers', '2', '--repeat', '2'];
    const { code, output } = await lab('run', 'ramp-mini', '--target', server.url, ...size, '--out', out);
    const codes = [1, 2].map((number) => {
      const path = join(out, `repetition-${number}`, 'verdict.json');
      return (JSON.parse(readFileSync(path, 'utf8')) as { exitCode: number }).exitCode;
    });
    expect(codes).toContain(code);
    expect(existsSync(join(out, 'repetition-2', 'report.html'))).toBe(true);
    const summary = JSON.parse(readFileSync(join(out, 'repetitions.json'), 'utf8')) as { criteria: unknown[] };
    expect(summary).toMatchObject({ wanted: 2, exitCode: code, folders: ['repetition-1', 'repetition-2'] });
    expect(summary.criteria.length).toBeGreaterThan(3);
    expect(output).toMatch(/2 of 2 runs: \w+, \w+/);
  });

  test('a fault of the lab itself: exit code 3, not "a criterion failed"', async () => {
    const path = join(folder, 'faulty.ts');
    writeFileSync(
      path,
      `export const scenario = {
        name: 'faulty', purpose: 'p', durationMs: 1000, viewers: 1,
        groups: { v: { actor: 'flv-viewer', timing: { executor: 'constant-vus', vus: 1, arriveOverMs: 0 },
          options: { profile: 'strict', sampleEvery: 1 } } },
        criteria: [{ id: 'x', plane: 'video', during: 'run', measure: { kind: 'guess' } }],
      };`,
    );
    const { code, output } = await lab('run', path, '--target', server.url, '--out', join(folder, 'faulty'));
    expect([code, output]).toEqual([3, expect.stringMatching(/fault of the lab/)]);
  });

  test('Ctrl-C drains: exit code 130 and a folder marked as interrupted', async () => {
    const out = join(folder, 'interrupted');
    const { child, finished, output } = start(['run', 'smoke', '--target', server.url, '--out', out]);
    while (!/0:\d\d\/1:00/.test(output())) await new Promise((done) => child.stdout?.once('data', done));
    child.kill('SIGINT');
    child.kill('SIGINT'); // npm passes one Ctrl-C on twice
    const { code } = await finished;
    expect(code).toBe(130);
    expect(JSON.parse(readFileSync(join(out, 'verdict.json'), 'utf8'))).toMatchObject({ outcome: 'interrupted' });
    expect(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'))).toMatchObject({
      end: { isInterrupted: true },
    });
    expect(existsSync(join(out, 'report.html'))).toBe(true);
  });
});
