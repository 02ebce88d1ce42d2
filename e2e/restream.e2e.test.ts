import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RestreamTargetList, RestreamTargetView, ShowList } from '@showfloor/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasFfmpeg } from './ffmpeg.ts';
import { type Floor, startFloor } from './floor.ts';
import { freePorts } from './free-ports.ts';
import { Shopper } from './shopper.ts';
import { signInToken } from './sign-in-link.ts';
import { waitFor } from './wait-for.ts';

const KEY = 'canary-restream-77d2e1-9f27';

/** The demo show is sent on to an ingest that is not ours: ffmpeg, which takes one publisher and ends with it. */
let floor: Floor;
let seller: Shopper;
let path = '';
let port = 0;
const folder = mkdtempSync(join(tmpdir(), 'sf-restream-'));
const ingests: Ingest[] = [];

beforeAll(async () => {
  if (!hasFfmpeg) return;
  [port = 0] = await freePorts(1);
  floor = await startFloor({
    env: { OUTBOUND_ALLOWED_NETWORKS: '127.0.0.1', OUTBOUND_ALLOWED_PORTS: String(port) },
  });
  seller = await Shopper.redeem(floor.webUrl, await signInToken(floor));
  const shows = (await seller.get<ShowList>('/api/seller/shows')).body.shows;
  path = `/api/shows/${shows.find(({ playbackId }) => playbackId === 'demo')?.id}/restream-targets`;
});
afterAll(async () => {
  for (const ingest of ingests) ingest.process.kill('SIGKILL');
  await floor?.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Ingest = { readonly process: ChildProcess; readonly file: string; readonly ended: Promise<number | null> };

function openIngest(): Ingest {
  const file = join(folder, `${ingests.length}.flv`);
  const url = `rtmp://127.0.0.1:${port}/app/${KEY}`;
  const child = spawn('ffmpeg', ['-v', 'error', '-listen', '1', '-i', url, '-c', 'copy', '-y', file], {
    stdio: 'ignore',
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ingest = { process: child, file, ended };
  ingests.push(ingest);
  return ingest;
}

function isState(state: string, reason: string | null = null): Promise<unknown> {
  return waitFor(
    `the target to be ${state} ${reason ?? ''}`,
    async () => {
      const [target] = (await seller.get<RestreamTargetList>(path)).body.targets;
      return target?.state === state && (reason === null || target.reason === reason);
    },
    30_000,
  );
}

describe.skipIf(!hasFfmpeg)('a show is sent on to another platform', () => {
  test('while it is on air: added, active, broken and back, through a killed media server, and taken away', async () => {
    const first = openIngest();
    const target = { name: 'Elsewhere', url: `rtmp://127.0.0.1:${port}/app`, key: KEY };
    const added = await seller.send<RestreamTargetView>('POST', path, target);
    expect([added.status, added.body.maskedKey]).toEqual([201, '••••9f27']);
    await isState('active');

    // The target goes away and comes back.
    first.process.kill('SIGKILL');
    await isState('waiting');
    const second = openIngest();
    await isState('active');

    // The media server dies: the publish hook's answer carries the targets again.
    const pid = floor.kill('media-server');
    await second.ended;
    const third = openIngest();
    await floor.restarted('media-server', pid);
    await isState('active');
    await waitFor('bytes to flow', async () => (await metric('media_restream_bitrate_bps')) > 500_000, 20_000);
    await waitFor('frames to flow', async () => (await metric('media_restream_frame_rate')) > 15, 20_000);

    expect((await seller.send('DELETE', `${path}/${added.body.id}`)).status).toBe(204);
    await third.ended; // by our goodbye
    const probe = spawnSync('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_name',
      '-of',
      'csv=p=0',
      third.file,
    ]);
    expect(probe.stdout.toString().trim().split(/\s+/)).toEqual(['h264', 'aac']);
    expect(await metric('media_restream_bitrate_bps')).toBe(0);

    const texts = await Promise.all(
      [...Object.values(floor.admin).map((url) => `${url}/metrics`), `${floor.admin.media}/api/v1/streams`].map(
        async (url) => (await fetch(url)).text(),
      ),
    );
    for (const text of [...texts, floor.output()]) expect(text.includes(KEY)).toBe(false);
  });
});

/** The sum of a metric of the media server over its labels. */
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${floor.admin.media}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
