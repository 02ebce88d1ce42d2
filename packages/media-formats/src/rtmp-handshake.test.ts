import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes } from './byte-order.ts';
import { findClientDigest, findServerDigest, imprintDigest, proveDigest } from './rtmp-digest.ts';
import {
  answerRtmpHandshake,
  finishRtmpHandshake,
  RTMP_C0C1_BYTES,
  RTMP_S0S1S2_BYTES,
  startRtmpHandshake,
} from './rtmp-handshake.ts';

const random = (seed: number) => new Uint8Array(1528).map((_, index) => (index * 7 + seed) & 0xff);

test('a client and a server shake hands: each echoes the other', () => {
  const c0c1 = startRtmpHandshake(random(1));
  const s0s1s2 = answerRtmpHandshake(c0c1, random(2));
  const c2 = finishRtmpHandshake(s0s1s2);
  expect([c0c1.length, s0s1s2.length, c2.length]).toEqual([RTMP_C0C1_BYTES, RTMP_S0S1S2_BYTES, 1536]);
  expect(s0s1s2.subarray(1537)).toEqual(c0c1.subarray(1));
  expect(c2).toEqual(s0s1s2.subarray(1, 1537));
});

test.each([0, 1] as const)('a C1 with a digest in scheme %i is answered with digests in the same scheme', (scheme) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1536, maxLength: 1536 }), (block) => {
      const c1 = imprintDigest(block, scheme, false);
      const s0s1s2 = answerRtmpHandshake(concatBytes([Uint8Array.of(3), c1]), random(2));
      const digest = findClientDigest(c1);
      expect(findServerDigest(s0s1s2.subarray(1, 1537))?.scheme).toBe(scheme);
      expect(s0s1s2.length).toBe(RTMP_S0S1S2_BYTES);
      expect(s0s1s2.subarray(1537)).toEqual(proveDigest(s0s1s2.subarray(1537), digest?.digest ?? new Uint8Array(0)));
    }),
    { numRuns: 40 },
  );
});

test('a C1 with a version but no digest that is right gets the plain echo', () => {
  const c0c1 = startRtmpHandshake(random(1));
  c0c1.set([128, 0, 7, 2], 5); // the client version that announces a digest
  const s0s1s2 = answerRtmpHandshake(c0c1, random(2));
  expect(s0s1s2.subarray(1, 9)).toEqual(new Uint8Array(8));
  expect(s0s1s2.subarray(1537)).toEqual(c0c1.subarray(1));
});

test.each([
  ['RTMPE', 6],
  ['an HTTP request', 0x47],
])('%s is refused by its first byte', (_name, first) => {
  const c0c1 = startRtmpHandshake(random(1));
  c0c1[0] = first;
  expect(() => answerRtmpHandshake(c0c1, random(2))).toThrow(
    expect.objectContaining({ code: 'rtmp.handshake_version' }),
  );
});
