import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hmacSha256, sha256 } from './sha256.ts';

const bytes = fc.uint8Array({ maxLength: 300 });

test('digests are those of node:crypto', () => {
  fc.assert(
    fc.property(bytes, (message) => {
      expect(sha256(message)).toEqual(new Uint8Array(createHash('sha256').update(message).digest()));
    }),
  );
});

test('keyed digests are those of node:crypto, for short and long keys', () => {
  fc.assert(
    fc.property(bytes, bytes, (key, message) => {
      expect(hmacSha256(key, message)).toEqual(new Uint8Array(createHmac('sha256', key).update(message).digest()));
    }),
  );
});
