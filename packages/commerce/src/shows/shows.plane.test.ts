import { randomUUID } from 'node:crypto';
import type { MediaHookAnswer, ShowDetail, ShowList, ShowSummary, StreamEvent, StreamKey } from '@showfloor/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';
import { closeDemo, seedDemo } from '../demo/seed-demo.ts';
import { endAbandonedShows } from './end-abandoned.ts';

let shop: TestShop;
let seller: Seller;

beforeAll(async () => {
  shop = await startShop();
  seller = await shop.seller();
});
afterAll(() => shop?.close());

describe('a seller’s show (G-01)', () => {
  test('is created scheduled, updated, opened, and refuses what its state does not allow', async () => {
    const show = await seller.show();
    expect(show).toMatchObject({ status: 'scheduled', title: 'A show' });
    expect(show.playbackId).toMatch(/^[a-z0-9]{10}$/);
    const patched = await seller.send<ShowSummary>('PATCH', `/api/shows/${show.id}`, { title: 'Better' });
    expect(patched.body.title).toBe('Better');
    expect((await move(show.id, 'start')).body.status).toBe('ready');
    const refused = await move(show.id, 'start');
    expect([refused.status, refused.body.reason]).toEqual([409, 'illegal_transition']);
    expect((await move(show.id, 'stop')).body.reason).toBe('illegal_transition');
    expect((await move(show.id, 'cancel')).body.status).toBe('cancelled');
    expect((await seller.send('PATCH', `/api/shows/${show.id}`, { title: 'Late' })).body.reason).toBe(
      'illegal_transition',
    );
    expect((await seller.send('PATCH', `/api/shows/${show.id}`, {})).status).toBe(400);
  });

  test('is nobody else’s: another seller and a buyer are refused', async () => {
    const show = await seller.show();
    const other = await shop.seller();
    expect((await other.send('POST', `/api/shows/${show.id}/cancel`)).status).toBe(404);
    expect((await (await shop.guest()).send('POST', '/api/shows', { title: 'Mine' })).status).toBe(403);
    expect((await shop.call('POST', '/api/shows', { body: { title: 'Mine' } })).status).toBe(401);
  });

  test('lists and pins products; the pin is read, moved and cleared (G-05)', async () => {
    const show = await seller.show();
    const [mug, bag] = [await seller.product(1), await seller.product(2)];
    const pin = (productId: string) => seller.send<ShowDetail>('PUT', `/api/shows/${show.id}/featured`, { productId });
    expect((await pin(mug.id)).status).toBe(404); // not listed yet
    for (const { id } of [mug, bag]) await seller.send('POST', `/api/shows/${show.id}/products`, { productId: id });
    const before = Date.now();
    expect((await pin(bag.id)).body.featured?.product.id).toBe(bag.id);
    const detail = await shop.call<ShowDetail>('GET', `/api/shows/${show.playbackId}`);
    expect(detail.body.products.map(({ id }) => id)).toEqual([mug.id, bag.id]);
    expect(detail.body.featured?.pinnedAtMs).toBeGreaterThanOrEqual(before);
    await seller.send('DELETE', `/api/shows/${show.id}/products/${bag.id}`);
    expect((await shop.call<ShowDetail>('GET', `/api/shows/${show.playbackId}`)).body.featured).toBeNull();
    await pin(mug.id);
    expect((await seller.send<ShowDetail>('DELETE', `/api/shows/${show.id}/featured`)).body.featured).toBeNull();
    expect(await outboxOf(show.playbackId)).toEqual([
      'show.changed', // it exists
      'product.added',
      'product.added',
      'product.pinned',
      'product.unpinned',
      'product.deleted',
      'product.pinned',
      'product.unpinned',
    ]);
  });
});

describe('who may publish (G-02)', () => {
  test('the right key is let in; wrong, none, unknown and unscheduled are not', async () => {
    const { show, param } = await showWithKey();
    expect(await publish(show.playbackId, param)).toEqual({
      code: 0,
      data: {
        showId: show.id,
        playbackId: show.playbackId,
        graceMs: 120_000,
        recording: { isEnabled: true },
        restreamTargets: [],
        restreamRevision: 0,
      },
    });
    expect(await publish(show.playbackId, '?key=wrong')).toEqual({ code: 1, reason: 'wrong_key' });
    expect(await publish(show.playbackId, '')).toEqual({ code: 1, reason: 'wrong_key' });
    expect(await publish('no-such-show', param)).toEqual({ code: 1, reason: 'unknown_stream' });
    await seller.send('POST', `/api/shows/${show.id}/cancel`);
    expect(await publish(show.playbackId, param)).toEqual({ code: 1, reason: 'not_scheduled' });
  });

  test('a show that never had a key lets nobody in', async () => {
    const show = await seller.show();
    expect(await publish(show.playbackId, '?key=')).toEqual({ code: 1, reason: 'wrong_key' });
  });

  test('S1 a new key ends the old one', async () => {
    const { show, param } = await showWithKey();
    const next = await keyOf(show.id);
    expect((await publish(show.playbackId, param)).reason).toBe('wrong_key');
    expect((await publish(show.playbackId, next)).code).toBe(0);
  });

  test('hooks without our signature are refused; the others are simply accepted', async () => {
    const body = hook('on_unpublish', 'demo', '');
    expect((await shop.call('POST', '/api/streaming/hooks/on_unpublish', { body })).status).toBe(401);
    for (const action of ['on_unpublish', 'on_play', 'on_stop']) {
      const answer = await shop.callSigned<MediaHookAnswer>(`/api/streaming/hooks/${action}`, hook(action, 'demo', ''));
      expect([answer.status, answer.body]).toEqual([200, { code: 0 }]);
    }
    expect((await shop.callSigned('/api/streaming/srs-heartbeat', { device_id: 'media-1' })).status).toBe(200);
    expect(await shop.registry.metrics()).toContain('media_heartbeat_timestamp_seconds{device="media-1"');
  });
});

describe('what the media plane reports moves the show (G-03, G-04)', () => {
  test('started, interrupted, resumed, ended', async () => {
    const show = await seller.show();
    const t = Date.now();
    expect(await report(show, 'stream.started', t)).toBe('applied');
    expect(await active(show)).toMatchObject({ status: 'live', startedAtMs: t });
    expect(await report(show, 'stream.interrupted', t + 10)).toBe('applied');
    expect(await active(show)).toMatchObject({ status: 'interrupted' });
    expect(await report(show, 'stream.resumed', t + 20)).toBe('applied');
    expect(await active(show)).toMatchObject({ status: 'live', startedAtMs: t });
    expect(await report(show, 'stream.ended', t + 30)).toBe('applied');
    expect(await active(show)).toBeUndefined();
    expect(await report(show, 'stream.resumed', t + 40)).toBe('illegal');
  });

  test('an event counts once, and a late one moves nothing back', async () => {
    const show = await seller.show();
    const t = Date.now();
    const started = eventOf(show, 'stream.started', t);
    expect(await sendEvent(started)).toBe('applied');
    expect(await report(show, 'stream.interrupted', t + 20)).toBe('applied');
    expect(await report(show, 'stream.resumed', t + 30)).toBe('applied');
    expect(await sendEvent(started)).toBe('duplicate');
    expect(await report(show, 'stream.interrupted', t + 10)).toBe('stale');
    expect(await active(show)).toMatchObject({ status: 'live' });
  });

  test('an event for another show’s id is not believed; an unsigned one is refused', async () => {
    const show = await seller.show();
    const event = eventOf({ ...show, id: randomUUID() }, 'stream.started', Date.now());
    expect(await sendEvent(event)).toBe('unknown_show');
    expect((await shop.call('POST', '/internal/events', { body: event })).status).toBe(401);
  });

  test('the seller’s stop ends it; an interrupted show that stays away is ended by the sweep', async () => {
    const [stopped, left] = [await seller.show(), await seller.show()];
    const t = Date.now() - 200_000;
    for (const show of [stopped, left]) await report(show, 'stream.started', t);
    expect((await move(stopped.id, 'stop')).body.status).toBe('ended');
    await report(left, 'stream.interrupted', t + 1_000, t + 121_000);
    const { kysely } = shop.database;
    expect(await endAbandonedShows(kysely, t + 121_000 + 29_000)).toEqual([]);
    expect(await endAbandonedShows(kysely, t + 121_000 + 31_000)).toEqual([left.playbackId]);
    expect(await outboxOf(left.playbackId)).toEqual(['show.changed', 'show.changed']);
  });
});

test('lists of shows on air and to come hold only those (G-19, G-20)', async () => {
  const show = await seller.show();
  const { body } = await shop.call<ShowList>('GET', '/api/streaming/upcoming');
  expect(body.shows.map(({ id }) => id)).toContain(show.id);
  expect(body.shows.every(({ status, playbackId }) => status !== 'live' && playbackId !== '')).toBe(true);
  expect((await shop.call('GET', '/api/shows/no-such-show')).status).toBe(404);
});

test('the demo comes back as it should: once, in stock, scheduled again, with this start’s secrets only', async () => {
  const db = shop.database.kysely;
  const first = { streamSecret: randomUUID(), signInToken: randomUUID() };
  const second = { streamSecret: randomUUID(), signInToken: randomUUID() };
  await seedDemo(db, first);
  const demo = await shop.call<ShowDetail>('GET', '/api/shows/demo');
  expect(demo.body.products.map(({ title }) => title)).toEqual(['Stoneware mug', 'Linen tote bag', 'Walnut desk lamp']);
  expect(demo.body.featured?.product.title).toBe('Stoneware mug');
  await report(demo.body.show, 'stream.started', Date.now());
  await report(demo.body.show, 'stream.ended', Date.now() + 1);
  await seedDemo(db, second);
  const again = await shop.call<ShowDetail>('GET', '/api/shows/demo');
  expect(again.body.show.status).toBe('scheduled');
  expect(again.body.products).toEqual(demo.body.products);
  expect((await publish('demo', `?key=${first.streamSecret}`)).reason).toBe('wrong_key');
  const admitted = await publish('demo', `?key=${second.streamSecret}`);
  expect(admitted).toMatchObject({ code: 0, data: { recording: { isEnabled: false } } });
  const redeem = (token: string) => shop.call('POST', '/api/auth/redeem', { body: { token } });
  expect((await redeem(first.signInToken)).status).toBe(401);
  expect((await redeem(second.signInToken)).status).toBe(200);
  expect((await redeem(second.signInToken)).status).toBe(401);
  await closeDemo(db);
  expect((await publish('demo', `?key=${second.streamSecret}`)).reason).toBe('wrong_key');
});

function move(id: string, what: 'start' | 'stop' | 'cancel') {
  return seller.send<ShowSummary & { reason: string }>('POST', `/api/shows/${id}/${what}`);
}

async function keyOf(showId: string): Promise<string> {
  const { body } = await seller.send<StreamKey>('POST', `/api/shows/${showId}/stream-key`);
  return body.streamKey.slice(body.streamKey.indexOf('?'));
}

async function showWithKey(): Promise<{ show: ShowSummary; param: string }> {
  const show = await seller.show();
  return { show, param: await keyOf(show.id) };
}

function hook(action: string, stream: string, param: string) {
  return { action, client_id: 'c1', ip: '127.0.0.1', app: 'live', stream, param };
}

async function publish(stream: string, param: string): Promise<MediaHookAnswer> {
  const answer = await shop.callSigned<MediaHookAnswer>(
    '/api/streaming/hooks/on_publish',
    hook('on_publish', stream, param),
  );
  expect(answer.status).toBe(200);
  return answer.body;
}

type EventType = StreamEvent['type'];

function eventOf(show: ShowSummary, type: EventType, atMs: number, graceEndsAtMs?: number): StreamEvent {
  const data = { showId: show.id, sessionId: 's1', ...(graceEndsAtMs === undefined ? {} : { graceEndsAtMs }) };
  return { id: randomUUID(), version: 1, playbackId: show.playbackId, type, atMs, data };
}

async function sendEvent(event: StreamEvent): Promise<string> {
  const { status, body } = await shop.callSigned<{ outcome: string }>('/internal/events', event);
  expect(status).toBe(200);
  return body.outcome;
}

function report(show: ShowSummary, type: EventType, atMs: number, graceEndsAtMs?: number): Promise<string> {
  return sendEvent(eventOf(show, type, atMs, graceEndsAtMs));
}

async function active(show: ShowSummary): Promise<ShowSummary | undefined> {
  const { body } = await shop.call<ShowList>('GET', '/api/streaming/active');
  return body.shows.find(({ id }) => id === show.id);
}

async function outboxOf(playbackId: string): Promise<unknown[]> {
  const rows = await shop.database.kysely
    .selectFrom('outbox')
    .select('payload')
    .where('topic', '=', playbackId)
    .orderBy('id')
    .execute();
  return rows.map(({ payload }) => payload.type);
}
