import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadSecrets } from './secrets.ts';
import { createTokenSigner, createTokenVerifier } from './tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'showfloor-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ROOM = { typ: 'room+jwt', audience: 'realtime' };
const ACCESS = { typ: 'access+jwt', audience: 'commerce' };

test('a token passes as the kind it was made for, and as no other', async () => {
  const secrets = loadSecrets(folder);
  const sign = await createTokenSigner(secrets.tokenPrivateKeyPem);
  const verify = await createTokenVerifier(secrets.tokenPublicKeyPem);
  const token = await sign(ROOM, { sub: 'u1', name: 'Ada' }, 60);
  expect(await verify(ROOM, token)).toMatchObject({ sub: 'u1', name: 'Ada' });
  expect(await verify(ACCESS, token)).toBeNull();
  expect(await verify(ROOM, `${token.slice(0, -4)}AAAA`)).toBeNull();
  expect(await verify(ROOM, await sign(ROOM, { sub: 'u1' }, -1))).toBeNull();
  expect(await verify(ROOM, 'not a token')).toBeNull();
});

test('secrets are made once and readable by their owner only', () => {
  const first = loadSecrets(folder);
  expect(loadSecrets(folder)).toEqual(first);
  expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'keys', 'token-signing.json')).mode & 0o777).toBe(0o600);
});
