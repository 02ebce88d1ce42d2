import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

/** The lab as a process; `until` waits for something in what it prints. */
class Lab {
  output = '';
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #wake: () => void = () => {};

  constructor(...args: string[]) {
    this.#child = spawn(process.execPath, [MAIN, ...args]);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        this.#wake();
      });
    }
    this.ended = new Promise((resolve) => this.#child.once('exit', resolve));
  }

  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) return found[1] ?? '';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        void this.ended.then(() => resolve());
      });
    }
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }
}

/** The first frame of a dashboard that `holds`. */
async function frameThat(url: string, holds: (frame: string) => boolean): Promise<string> {
  const response = await fetch(new URL('/events', url));
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    const found = text.split('\n\n').find((message) => message.includes('data: {') && holds(message));
    if (found !== undefined) return found;
  }
  throw new Error('the stream ended');
}

function linesOf(path: string): { collector: string; metrics?: object }[] {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as { collector: string; metrics?: object });
}

test('monitor shows what the collectors see, keeps it, and ends well when its user stops it', async () => {
  const out = join(folder, 'monitor');
  const lab = new Lab('monitor', '--target', server.url, '--every', '1s', '--dashboard', '0', '--out', out);
  const url = await lab.until(/dashboard: (http:\S+)/);
  expect(await frameThat(url, (frame) => frame.includes('"process.lab"') || frame.includes('"memory.lab"'))).toContain(
    'Watching',
  );
  lab.interrupt();
  lab.interrupt(); // npm passes one Ctrl-C on twice
  expect(await lab.ended, lab.output).toBe(0);
  const lines = linesOf(join(out, 'samples.jsonl'));
  expect(lines.map(({ collector }) => collector)).toContain('process');
  expect(lines.every(({ metrics }) => metrics !== undefined)).toBe(true);
  expect(JSON.parse(readFileSync(join(out, 'monitor.json'), 'utf8'))).toMatchObject({ version: 1, everyMs: 1000 });
});

test('monitor with viewers of its own sees the stream, and ends after its time', async () => {
  const out = join(folder, 'probes');
  const sized = ['--duration', '6s', '--probe-viewers', '1', '--dashboard', '0', '--out', out];
  const lab = new Lab('monitor', '--target', server.url, ...sized);
  const url = await lab.until(/dashboard: (http:\S+)/);
  expect(await frameThat(url, (frame) => frame.includes('got a picture'))).toContain('"users.FLV":1');
  expect(await lab.ended, lab.output).toBe(0);
});

test('run --dashboard: frames while it runs, and the verdict as its last word', async () => {
  const sized = ['--duration', '4s', '--viewers', '2', '--dashboard', '0', '--out', join(folder, 'run')];
  const lab = new Lab('run', 'ramp-mini', '--target', server.url, ...sized);
  const url = await lab.until(/dashboard: (http:\S+)/);
  expect(await frameThat(url, (frame) => frame.includes('"isOver":true'))).toMatch(
    /"word":"(Passed|Failed|Inconclusive|INVALID)"/,
  );
  await lab.ended;
});

test.each([
  ['run', ['smoke']],
  ['monitor', []],
])('%s: a busy port is one clear line, exit code 2', async (command, more) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const lab = new Lab(
    command,
    ...more,
    '--target',
    server.url,
    '--dashboard',
    String(port),
    '--out',
    join(folder, `busy-${command}`),
  );
  expect([await lab.ended, lab.output]).toEqual([2, expect.stringMatching(/lab: port \d+ is taken/)]);
  expect(lab.output).not.toMatch(/\n\s+at /); // no stack
  await new Promise((resolve) => other.close(resolve));
});

test.each([
  ['a target that is not there', ['--target', 'http://127.0.0.1:1/live/x.flv'], 6, /does not answer/],
  ['a place that is none', ['--dashboard', 'here'], 2, /a port, 0 to 65535/],
  ['a crowd of probes', ['--probe-viewers', '500'], 2, /more is a load/],
])('monitor: %s', async (_name, args, code, message) => {
  const lab = new Lab('monitor', '--out', join(folder, 'refused'), ...args);
  expect([await lab.ended, lab.output]).toEqual([code, expect.stringMatching(message)]);
});
