import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RESUME_LIFE_MS, ResumeTokens } from './resume-tokens.ts';

const secret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
const ana = { userId: randomUUID(), name: 'Ana', role: 'buyer', vouchedAtMs: 1_000 } as const;

test('a resume token gives back who it was made for, for twelve hours from when commerce vouched', () => {
  const tokens = new ResumeTokens(secret());
  const { token, expiresAtMs } = tokens.issue(ana);
  expect(expiresAtMs).toBe(1_000 + RESUME_LIFE_MS);
  expect(tokens.read(token, expiresAtMs - 1)).toEqual(ana);
  expect(tokens.read(token, expiresAtMs)).toBeNull();
});

test('a token of another secret, a changed token and noise are all refused', () => {
  const tokens = new ResumeTokens(secret());
  const { token } = tokens.issue(ana);
  expect(new ResumeTokens(secret()).read(token, 2_000)).toBeNull();
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom('A', '9', '.', '_'), (at, letter) => {
      const changed = token.slice(0, at) + letter + token.slice(at + 1);
      // The last letter of base64url carries unused bits: only a token that decodes to other bytes is a forgery.
      const sameBytes = Buffer.from(changed.split('.')[2] ?? '', 'base64url').equals(
        Buffer.from(token.split('.')[2] ?? '', 'base64url'),
      );
      if (changed === token || (sameBytes && at > token.lastIndexOf('.'))) return;
      expect(tokens.read(changed, 2_000)).toBeNull();
    }),
  );
  fc.assert(fc.property(fc.string(), (noise) => tokens.read(noise, 2_000) === null));
});
