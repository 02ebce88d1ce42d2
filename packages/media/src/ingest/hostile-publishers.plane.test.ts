/**
 * S2 over real sockets. Some hundred damaged publishes in every run; for hours: `S2_SECONDS=86400 S2_SEED=1 npx vitest run --project
 * planes -t "S2 hostile"`.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AMF0_DEPTH_MAX } from '@showfloor/media-formats';
import { connectRtmpPublisher } from '@showfloor/rtmp-client';
import { bugsTotal } from '@showfloor/service-kit';
import { expect, test } from 'vitest';
import { Dice, hostilePublish } from '../../test/hostile-bytes.ts';
import { admitGoodKey, metricOf, PlaneUnderTest, until } from '../../test/plane-under-test.ts';
import type { Admit } from './admission.ts';
import { GUARD_LIMITS } from './failed-publish-guard.ts';
import { RTMP_LIMITS } from './rtmp-limits.ts';

const SECONDS = Number(process.env.S2_SECONDS ?? 8);
const SEED = Number(process.env.S2_SEED ?? 20_260_101);
const LANES = ['dema', 'demb', 'demc', 'demd', 'deme', 'demf'];
const SHOW_IDS = LANES.map(() => randomUUID());
const ROUNDS_MIN = 100;
/** What may stay in use after the last of them: pools and compiled code. */
const GROWTH_BYTES_MAX = 32 * 1024 * 1024;
const ROUND_MS_MAX = 150;
/** The publish command is among the first bytes; the answer takes a moment. */
const ASKED_BYTES = 4_000;
const ASKED_MS = 10;

test('S2 the limits in force are those of the bar', () => {
  expect(RTMP_LIMITS).toMatchObject({
    handshakeTimeoutMs: 10_000,
    firstPacketTimeoutMs: 10_000,
    silenceTimeoutMs: 30_000,
    unauthenticated: { messageBytesMax: 65_536, pendingBytesMax: 65_536 },
    authenticated: { messageBytesMax: 8 * 1024 * 1024 },
  });
  expect(GUARD_LIMITS).toEqual({ failuresMax: 10, windowMs: 60_000, blockMs: 900_000 });
  expect(AMF0_DEPTH_MAX).toBe(16);
});

/** Everybody may publish here, so that damage reaches all of the plane; the good publisher has its usual key. */
const admitAll: Admit = (request) =>
  request.playbackId.startsWith('show')
    ? admitGoodKey(request)
    : Promise.resolve({
        ok: true,
        showId: SHOW_IDS[LANES.indexOf(request.playbackId)] ?? randomUUID(),
        graceMs: 20,
        recording: { isEnabled: true },
      });

test('S2 hostile bytes end their session and nothing else, and leave nothing behind', {
  timeout: (SECONDS + 90) * 1_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  const bugsBefore = bugsTotal();
  {
    await using floor = await PlaneUnderTest.start({
      admit: admitAll,
      rivalWindowMs: 0,
      guardLimits: { failuresMax: 1_000_000 },
      recording: { folder },
      hls: { lingerMs: 0 },
    });
    await floor.onAir('show-good');
    const good = floor.watch('show-good');
    const deadlineMs = performance.now() + SECONDS * 1_000;
    let rounds = 0;
    let usedBefore = 0;
    const lane = async (name: string, seed: number): Promise<void> => {
      const dice = new Dice(seed);
      while (performance.now() < deadlineMs || rounds < ROUNDS_MIN) {
        await sendHostile(floor.plane.rtmpPort, hostilePublish(dice, name), dice);
        rounds += 1;
        if (rounds === ROUNDS_MIN / 2) usedBefore = usedBytes(); // code is warm, pools are filled
      }
    };
    await Promise.all(LANES.map((name, index) => lane(name, SEED + index)));

    const text = await floor.metricsText();
    const reasons = new Set(
      Array.from(text.matchAll(/media_rtmp_session_ends_total\{reason="([^"]+)"/g), ([, one]) => one),
    );
    expect(reasons.size).toBeGreaterThan(5); // many ways to end, so the damage got somewhere
    expect(reasons).not.toContain('bug');
    expect(bugsTotal() - bugsBefore).toBe(0);
    expect(metricOf(text, 'media_publish_total')).toBeGreaterThan(rounds / 10);
    const before = good.pictures.length;
    await until('the good show to go on', () => good.pictures.length > before + 10);
    expect(good.isClosed).toBe(false);
    await until('only the good show', () => floor.plane.hub.list().length === 1, 20_000);
    for (const gauge of ['media_publishers', 'media_rtmp_connections']) {
      await until(`one of ${gauge}`, async () => metricOf(await floor.metricsText(), gauge) === 1, 20_000);
    }
    const newcomer = await connectRtmpPublisher({ url: floor.rtmpUrl('show-after') });
    expect(newcomer.ok).toBe(true);
    if (newcomer.ok) newcomer.publisher.close();
    await until('the memory to be let go', () => usedBytes() - usedBefore < GROWTH_BYTES_MAX, 60_000);
  }
  rmSync(folder, { recursive: true, force: true });
});

/** What is reachable: garbage is collected first. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Sends in pieces of any size; resolves when the server has closed, or has had time to choke. */
async function sendHostile(port: number, bytes: Uint8Array, dice: Dice): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined); // reset by the server, which is its right
  socket.resume();
  for (let offset = 0; offset < bytes.length && !socket.destroyed; ) {
    const length = 1 + dice.roll(dice.roll(3) === 0 ? 16 : 4_000);
    socket.write(bytes.subarray(offset, offset + length));
    offset += length;
    if (dice.roll(4) === 0) await sleep(1);
    if (offset > ASKED_BYTES && offset - length <= ASKED_BYTES) await sleep(ASKED_MS); // what comes with the question is held back
  }
  if (dice.roll(2) === 0) socket.end();
  await Promise.race([closed, sleep(dice.roll(ROUND_MS_MAX) + 20)]);
  socket.destroy();
  await closed;
}

test('S2 five hundred connections that hold back the end of a message cost 64 KB each at most', async () => {
  await using floor = await PlaneUnderTest.start({ waitingPeers: { loopbackMax: 600 } });
  const rssBefore = process.memoryUsage().rss;
  const message = Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0xff, 0xff, 20, 0, 0, 0, 0]), Buffer.alloc(65_000)]);
  // Set Chunk Size 65536, then a message of 65,535 bytes without its end.
  const chunkSize = Buffer.from([2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 1, 0, 0]);
  const opening = Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536), Buffer.alloc(1_536), chunkSize, message]);
  const sockets = Array.from({ length: 500 }, () => {
    const socket = connect({ host: '127.0.0.1', port: floor.plane.rtmpPort });
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(opening);
    return socket;
  });
  const expected = sockets.length * opening.length;
  await until('all of it', async () => metricOf(await floor.metricsText(), 'media_received_bytes_total') >= expected);
  expect(sockets.some((socket) => socket.destroyed)).toBe(false);
  // Both ends of the sockets live in this process; the kernel's buffers do not count.
  expect(process.memoryUsage().rss - rssBefore).toBeLessThan(500 * 4 * 65_536);
  for (const socket of sockets) socket.destroy();
});
