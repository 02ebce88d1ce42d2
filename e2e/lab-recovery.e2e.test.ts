import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Floor, startFloor } from './floor.ts';

/**
 * The lab makes a whole system live through the strategy's recovery test, in half a minute: with a publisher and a show of the lab's
 * own, and the media server really killed. LAB_RECOVERY_DURATION=120s is a tenth of its full length, faults as long as they are.
 */
const DURATION = process.env.LAB_RECOVERY_DURATION ?? '32s';
const SHORT_FAULTS = DURATION === '32s' ? ['--set', 'partition-seconds=3', '--set', 'gone-seconds=3'] : [];
/** As few as a share of 95 % can be shown by. */
const VIEWERS = '60';
let floor: Floor;

beforeAll(async () => {
  floor = await startFloor({ demo: false });
});
afterAll(() => floor?.stop());

type Judged = { readonly criterion: { readonly id: string }; readonly outcome: string; readonly value: number | null };
type Event = { readonly name: string; readonly atMs: number; readonly detail: Readonly<Record<string, unknown>> };

/** A fresh one-time link of the demo's seller. */
function sellerLink(): string {
  const link = /http\S+signin\?token=[\w-]+/.exec(floor.command('signin-link'))?.[0];
  if (link === undefined) throw new Error('no sign-in link');
  return link;
}

function judgements(out: string): Readonly<Record<string, string>> {
  const { judgements: all } = JSON.parse(readFileSync(join(out, 'verdict.json'), 'utf8')) as { judgements: Judged[] };
  return Object.fromEntries(all.map(({ criterion, outcome }) => [criterion.id, outcome]));
}

function events(out: string): Event[] {
  return readFileSync(join(out, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
}

describe('the recovery scenario', () => {
  test('passes its video criteria: partition, publisher gone, media server killed by its pid', async () => {
    const out = join(floor.dataDir, 'recovery');
    const before = floor.pidOf('media-server');
    const size = [
      '--duration',
      DURATION,
      ...SHORT_FAULTS,
      '--viewers',
      VIEWERS,
      '--calibration',
      'skip',
      '--no-canary',
    ];
    const who = ['--target', floor.webUrl, '--seller', sellerLink(), '--process', 'media-server=auto'];
    const { output } = await lab(['run', 'recovery', ...who, ...size, '--out', out]);
    expect(output).toContain(`media-server: process ${before}, listens on ${new URL(floor.videoUrl).port}`);
    expect(floor.pidOf('media-server')).not.toBe(before);
    expect(judgements(out), output).toMatchObject({
      'back-after-partition': 'pass',
      'back-after-publisher': 'pass',
      'media-restart': 'pass',
      'back-after-restart': 'pass',
      'faults-verified': 'pass',
      'never-back': 'pass',
      'show-loss-told': 'pass',
      'show-return-told': 'pass',
      'show-ended-early': 'pass',
    });
    const names = events(out).map(({ name }) => name);
    expect(names.indexOf('show_interrupted')).toBeGreaterThan(0);
    expect(names.indexOf('show_resumed')).toBeGreaterThan(names.indexOf('show_interrupted'));
    expect(names).not.toContain('show_ended');
    expect(readFolder(out)).not.toMatch(/key=/); // the stream key stays in memory
  });
});

test('many streams: the lab makes shows, publishes them, deals its viewers out, and ends them', async () => {
  const out = join(floor.dataDir, 'streams');
  const args = ['run', 'streams', '--target', floor.webUrl, '--seller', sellerLink(), '--viewers', '20'];
  const { code, output } = await lab([
    ...args,
    '--duration',
    '5s',
    '--calibration',
    'skip',
    '--no-canary',
    '--out',
    out,
  ]);
  expect([0, 1, 3, 4], output).toContain(code); // so short a run judges little
  expect(output).toContain('publishing 4 streams by own');
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as {
    target: { streams: { name: string }[] };
  };
  expect(new Set(manifest.target.streams.map(({ name }) => name)).size).toBe(4);
  const last = readFileSync(join(out, 'series.jsonl'), 'utf8').trim().split('\n').slice(-2)[0] ?? '{}';
  const { gauges } = JSON.parse(last) as { gauges: Record<string, number> };
  expect(gauges['publishers_on_air{encoder=own}']).toBe(4);
  const active = (await (await fetch(`${floor.webUrl}/api/streaming/active`)).json()) as { shows: unknown[] };
  expect(active.shows).toEqual([]);
});

test('a publish that is refused says why, and ends with 6 when nothing was ever taken', async () => {
  const args = ['publish', '--url', `${floor.rtmpUrl}/nothing`, '--key', 'wrong', '--duration', '2s'];
  const { code, output } = await lab([...args, '--out', join(floor.dataDir, 'published')]);
  expect([code, output]).toEqual([6, expect.stringMatching(/the key is not valid or the show is over/)]);
  expect(output).not.toContain('key=wrong');
  expect(existsSync(join(floor.dataDir, 'published', 'publish.json'))).toBe(true);
});

function readFolder(out: string): string {
  return ['manifest.json', 'events.jsonl', 'plan.json', 'series.jsonl']
    .map((name) => readFileSync(join(out, name), 'utf8'))
    .join('\n');
}

function lab(args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [resolve(import.meta.dirname, '../lab/src/cli/main.ts'), ...args]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    child.once('exit', (code) => done({ code, output }));
  });
}
