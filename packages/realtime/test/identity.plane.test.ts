import { randomUUID } from 'node:crypto';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { ACCESS_TOKEN } from '@showfloor/protocol';
import { createTokenSigner, loadSecrets } from '@showfloor/service-kit';
import { expect, test } from 'vitest';
import { ask, message, next, startRig, temporaryFolder, until } from './plane-rig.ts';

type Resume = { token: string; expiresAtMs: number };
type ConnectError = Error & { data?: { reason: string } };

test('realtime hands out its own token, good for a return after a restart without commerce', async () => {
  const dataDir = temporaryFolder();
  const rig = await startRig({ dataDir });
  const sub = randomUUID();
  const first = rig.client('/', { auth: { token: await rig.roomToken({ sub, name: 'Ana' }) } });
  const resume = await next<Resume>(first, 'session:resume');
  expect(resume.expiresAtMs - Date.now()).toBeGreaterThan(11.9 * 3_600_000);
  await rig.close();

  const again = await startRig({ dataDir });
  const back = again.client('/chat', { auth: { token: 'stale', resume: resume.token } });
  await ask(back, 'chat:join', { liveId: 'demo' });
  expect(await ask(back, 'chat:send', message('demo', 'back'))).toMatchObject({ ok: true });
  const root = again.client('/', { auth: { resume: resume.token } });
  expect((await next<Resume>(root, 'session:resume')).expiresAtMs, 'resuming does not lengthen it').toBe(
    resume.expiresAtMs,
  );
  await again.close();
});

test('a token that is not a room token of ours, valid now, is refused with a reason; none at all watches', async () => {
  const rig = await startRig();
  const stranger = await createTokenSigner(loadSecrets(temporaryFolder()).tokenPrivateKeyPem);
  const ours = await createTokenSigner(rig.secrets.tokenPrivateKeyPem);
  const claims = { sub: randomUUID(), name: 'Ana', role: 'buyer' };
  const kind = { typ: 'room+jwt', audience: 'realtime' };
  const bad = [
    await stranger(kind, claims, 900),
    await ours(ACCESS_TOKEN, claims, 900),
    await ours(kind, claims, -10),
    await ours(kind, { ...claims, role: 'root' }, 900),
    await ours(kind, { ...claims, sub: 'not-a-uuid' }, 900),
    'noise',
  ];
  for (const token of bad) {
    const socket = rig.client('/chat', { auth: { token } });
    expect((await next<ConnectError>(socket, 'connect_error')).data?.reason).toBe('token_invalid');
    socket.disconnect();
  }
  const hostile = rig.client('/chat', { auth: { token: { $ne: null } } });
  expect((await next<ConnectError>(hostile, 'connect_error')).data?.reason).toBe('token_invalid');
  const viewer = rig.client('/chat');
  await next(viewer, 'connect');
  await rig.close();
});

test('a revoked session ends at once and its tokens never work again; a new sign-in does', async () => {
  const dataDir = temporaryFolder();
  let rig = await startRig({ dataDir });
  const sub = randomUUID();
  const token = await rig.roomToken({ sub });
  const root = rig.client('/', { auth: { token } });
  const chat = root.io.socket('/chat', { auth: { token } });
  const resume = await next<Resume>(root, 'session:resume');
  const bystander = rig.client('/', { auth: { token: await rig.roomToken() } });
  await next(bystander, 'connect');
  if (!chat.connected) await next(chat, 'connect');

  const gone = [next(root, 'disconnect'), next(chat, 'disconnect')];
  const atMs = Date.now();
  const event = {
    id: `evt-${randomUUID()}`,
    version: 1 as const,
    atMs,
    type: 'session.revoked' as const,
    data: { userId: sub },
  };
  expect((await rig.deliver(event)).result).toBe('accepted');
  await Promise.all(gone);
  expect(bystander.connected).toBe(true);
  await rig.close();

  rig = await startRig({ dataDir });
  for (const auth of [{ token }, { resume: resume.token }]) {
    const refused = rig.client('/', { auth });
    expect((await next<ConnectError>(refused, 'connect_error')).data?.reason).toBe('token_invalid');
    refused.disconnect();
  }
  await until(() => Math.floor(Date.now() / 1000) > Math.floor(atMs / 1000), 'tokens carry whole seconds');
  const fresh = rig.client('/', { auth: { token: await rig.roomToken({ sub }) } });
  await next(fresh, 'connect');
  await rig.close();
});

test('a revocation that the disk refuses ends the session, and is delivered again until it is on disk', async () => {
  const dataDir = temporaryFolder();
  let rig = await startRig({ dataDir });
  const sub = randomUUID();
  const token = await rig.roomToken({ sub });
  const root = rig.client('/', { auth: { token } });
  await next(root, 'connect');
  const inTheWay = join(dataDir, 'realtime', 'revocations.jsonl');
  mkdirSync(inTheWay);
  const event = {
    id: `evt-${randomUUID()}`,
    version: 1 as const,
    atMs: Date.now(),
    type: 'session.revoked' as const,
    data: { userId: sub },
  };
  const gone = next(root, 'disconnect');
  expect(await rig.deliver(event)).toEqual({ status: 503, result: 'failed' });
  await gone;
  expect((await rig.deliver(event)).status).toBe(503);
  rmdirSync(inTheWay);
  expect(await rig.deliver(event)).toEqual({ status: 200, result: 'accepted' });
  expect(await rig.deliver(event)).toEqual({ status: 200, result: 'duplicate' });
  await rig.close();

  rig = await startRig({ dataDir });
  const refused = rig.client('/', { auth: { token } });
  expect((await next<ConnectError>(refused, 'connect_error')).data?.reason).toBe('token_invalid');
  refused.disconnect();
  await rig.close();
});
