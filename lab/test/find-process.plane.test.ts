import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findProcesses } from '../src/faults/find-process.ts';
import { startPacedFlvServer } from './paced-flv-server.ts';

const MAIN = fileURLToPath(new URL('./paced-flv-main.ts', import.meta.url));
const NOTHING = {
  kind: 'url',
  url: '',
  planes: ['video'],
  subject: '',
  hls: null,
  room: null,
  shop: null,
  version: null,
} as const;
const auto = { 'media-server': { isAuto: true } } as const;

test('auto is the process that listens where the plane answers, and none that the user did not name', async () => {
  const child = spawn(process.execPath, [MAIN, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const flvUrl = line.toString().trim();
    const { bindings, found } = await findProcesses({ ...auto, other: { pid: 7 } }, { ...NOTHING, flvUrl });
    expect(bindings).toEqual({ 'media-server': { isAuto: true, pid: child.pid }, other: { pid: 7 } });
    expect(found).toEqual([expect.objectContaining({ name: 'media-server', pid: child.pid })]);
    expect(found[0]?.command).toContain('paced-flv-main.ts');
  } finally {
    child.kill('SIGKILL');
  }
});

test.each([
  ['a target on another machine', 'http://192.0.2.1/live/x.flv', 'media-server', /another machine/],
  ['nobody there', 'http://127.0.0.1:1/live/x.flv', 'media-server', /listens on port 1$/],
  [
    'a name without a plane',
    'http://127.0.0.1:1/live/x.flv',
    'publisher',
    /can be looked for media-server; give the pid/,
  ],
  ['a plane that the target lacks', 'http://127.0.0.1:1/live/x.flv', 'commerce-server', /give the pid/],
])('%s: refused', async (_name, flvUrl, name, message) => {
  await expect(findProcesses({ [name]: { isAuto: true } }, { ...NOTHING, flvUrl })).rejects.toThrow(message);
});

test('the lab itself is never found', async () => {
  const server = await startPacedFlvServer();
  try {
    await expect(findProcesses(auto, { ...NOTHING, flvUrl: server.url })).rejects.toThrow(
      /nobody that could be touched/,
    );
  } finally {
    await server.close();
  }
});
