import { randomUUID } from 'node:crypto';
import { LIVE_EVENT_BYTES_MAX, LIVE_EVENTS_PATH } from '@showfloor/protocol';
import { signWebhook } from '@showfloor/service-kit';
import type { Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask, envelope, type Rig, startRig, until } from './plane-rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.close());

const productId = randomUUID();
const variantId = randomUUID();
const product = {
  id: productId,
  title: 'Stoneware mug',
  description: '',
  imageUrl: null,
  currency: 'EUR',
  variants: [{ id: variantId, title: 'Blue', sku: 'MUG-B', priceMinor: 1800, availableUnits: 3 }],
};

async function shopper(playbackId = 'demo'): Promise<{ socket: Socket; heard: [string, Record<string, unknown>][] }> {
  const socket = rig.client('/');
  const heard: [string, Record<string, unknown>][] = [];
  socket.onAny((event: string, payload: Record<string, unknown>) => heard.push([event, payload]));
  await ask(socket, 'stream:join', { playbackId });
  return { socket, heard };
}

describe('product events', () => {
  test('each kind reaches the shoppers of its show, at once, and nobody else', async () => {
    const [here, elsewhere] = [await shopper(), await shopper('other')];
    const atMs = Date.now();
    await rig.deliver({ ...envelope('product.added', 'demo', atMs), data: { product } });
    await rig.deliver({ ...envelope('product.pinned', 'demo', atMs), data: { product, pinnedAtMs: atMs } });
    await rig.deliver({ ...envelope('product.updated', 'demo', atMs), data: { product } });
    await rig.deliver({ ...envelope('product.unpinned', 'demo', atMs), data: { productId } });
    await rig.deliver({ ...envelope('product.deleted', 'demo', atMs), data: { productId } });
    await until(() => here.heard.length === 5, 'all five are heard');
    expect(here.heard).toEqual([
      ['product:added', { playbackId: 'demo', product }],
      ['product:pinned', { playbackId: 'demo', product, pinnedAtMs: atMs }],
      ['product:updated', { playbackId: 'demo', product }],
      ['product:unpinned', { playbackId: 'demo', productId, atMs }],
      ['product:deleted', { playbackId: 'demo', productId }],
    ]);
    expect(elsewhere.heard).toEqual([]);
    here.socket.emit('stream:leave', { playbackId: 'demo' });
    await ask(here.socket, 'stream:join', { playbackId: 'another' });
    await rig.deliver({ ...envelope('product.added'), data: { product } });
    expect(here.heard.length).toBe(5);
  });

  test('stock only moves forward, and the last unit says sold out', async () => {
    const { heard } = await shopper();
    const versions = [
      [2, 1],
      [1, 2],
      [1, 2],
      [2, 1],
      [0, 3],
    ] as const;
    const results = [];
    for (const [availableUnits, stockVersion] of versions) {
      const data = { productId, variantId, availableUnits, stockVersion };
      results.push((await rig.deliver({ ...envelope('stock.changed'), data })).result);
    }
    expect(results).toEqual(['accepted', 'accepted', 'stale', 'stale', 'accepted']);
    await until(() => heard.length === 4, 'three changes and a sell-out');
    expect(heard.map(([event, { availableUnits }]) => [event, availableUnits])).toEqual([
      ['product:stock:update', 2],
      ['product:stock:update', 1],
      ['product:stock:update', 0],
      ['product:sold-out', undefined],
    ]);
  });

  test('a pin delivered late never replaces a newer one', async () => {
    const { heard } = await shopper();
    const nowMs = Date.now();
    await rig.deliver({ ...envelope('product.pinned', 'demo', nowMs), data: { product, pinnedAtMs: nowMs } });
    const late = { ...envelope('product.pinned', 'demo', nowMs - 50), data: { product, pinnedAtMs: nowMs - 50 } };
    expect((await rig.deliver(late)).result).toBe('stale');
    expect(heard.length).toBe(1);
  });
});

describe('the inbox', () => {
  const event = () => ({ ...envelope('product.unpinned'), data: { productId } });
  const post = async (body: string, headers: Record<string, string>) => {
    const response = await fetch(rig.url + LIVE_EVENTS_PATH, { method: 'POST', headers, body });
    return [response.status, ((await response.json()) as { result: string }).result];
  };
  const signed = (body: string, id: string, nowMs = Date.now()) => ({
    ...signWebhook(rig.secrets.webhookSecret, id, nowMs, body),
  });

  test('takes an event once, however often it is delivered', async () => {
    const { heard } = await shopper();
    const one = event();
    const results = await Promise.all([rig.deliver(one), rig.deliver(one), rig.deliver(one)]);
    expect(results.map(({ result }) => result).sort()).toEqual(['accepted', 'duplicate', 'duplicate']);
    await until(() => heard.length > 0, 'it is heard');
    expect(heard.length).toBe(1);
  });

  test('looks at nothing that is not signed by us, now', async () => {
    const one = event();
    const body = JSON.stringify(one);
    const forged = signWebhook(`whsec_${Buffer.alloc(32).toString('base64')}`, one.id, Date.now(), body);
    expect(await post(body, { ...forged })).toEqual([401, 'forged']);
    expect(await post(body, {})).toEqual([401, 'forged']);
    expect(await post(body.replace('demo', 'evil'), signed(body, one.id))).toEqual([401, 'forged']);
    expect(await post(body, { ...signed(body, one.id), 'webhook-id': 'evt-another' })).toEqual([401, 'forged']);
    expect(await post(body, signed(body, one.id, Date.now() - 301_000)), 'replayed').toEqual([401, 'forged']);
    expect(await post(body, signed(body, one.id)), 'the true one').toEqual([200, 'accepted']);
  });

  test('says what is wrong with a signed body, and takes what it does not know yet', async () => {
    const say = (value: unknown, id: string) => {
      const body = typeof value === 'string' ? value : JSON.stringify(value);
      return post(body, signed(body, id));
    };
    const one = event();
    expect(await say('{', one.id)).toEqual([400, 'malformed']);
    expect(await say({ ...one, data: {} }, one.id)).toEqual([400, 'malformed']);
    expect(await say(one, 'evt-another-id')).toEqual([400, 'malformed']);
    expect(await say({ ...one, type: 'auction.opened' }, one.id)).toEqual([200, 'ignored']);
    expect(await say({ ...one, padding: 'x'.repeat(LIVE_EVENT_BYTES_MAX) }, one.id)).toEqual([413, 'too_large']);
    expect((await fetch(rig.url + LIVE_EVENTS_PATH)).status).toBe(405);
    expect(await rig.metric('realtime_inbox_events_total', { result: 'malformed' })).toBe(3);
  });
});
