import { spawn, spawnSync } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { findClientDigest } from './rtmp-digest.ts';
import { answerRtmpHandshake, RTMP_C0C1_BYTES } from './rtmp-handshake.ts';

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

/** Lets ffmpeg's RTMP player shake hands with us: it checks S1's and S2's digests and says so when they are wrong. */
async function shakeHands(answer: (c0c1: Uint8Array) => Uint8Array): Promise<{ log: string; scheme: number | null }> {
  let scheme: number | null = null;
  let afterBytes = 0;
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    let hasAnswered = false;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (hasAnswered) afterBytes += bytes.length;
      if (hasAnswered || received.length < RTMP_C0C1_BYTES) {
        if (afterBytes > 1_536) socket.destroy(); // C2 and the connect command: the handshake was taken
        return;
      }
      hasAnswered = true;
      const c0c1 = received.subarray(0, RTMP_C0C1_BYTES);
      scheme = findClientDigest(c0c1.subarray(1))?.scheme ?? null;
      socket.write(answer(c0c1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const child = spawn('ffmpeg', ['-v', 'debug', '-i', `rtmp://127.0.0.1:${port}/live/x`, '-f', 'null', '-']);
  let log = '';
  child.stderr.on('data', (bytes: Buffer) => {
    log += bytes.toString();
  });
  await new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => server.close(resolve));
  return { log: `${log}\n${afterBytes > 1_536 ? 'connected' : 'not connected'}`, scheme };
}

test.skipIf(!hasFfmpeg)('ffmpeg finds our digests right, and finds a wrong one', async () => {
  const random = new Uint8Array(1528).map((_, index) => (index * 31) & 0xff);
  const right = await shakeHands((c0c1) => answerRtmpHandshake(c0c1, random));
  expect(right.scheme).toBe(0);
  expect(right.log).not.toMatch(/validating failed|Signature mismatch/);
  expect(right.log).toContain('\nconnected');
  const wrong = await shakeHands((c0c1) => {
    const answer = answerRtmpHandshake(c0c1, random);
    answer[answer.length - 1] = (answer.at(-1) ?? 0) ^ 1;
    return answer;
  });
  expect(wrong.log).toMatch(/Signature mismatch/);
});
