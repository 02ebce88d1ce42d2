import type { MediaHookAnswer, ShowList, ShowSummary, StreamKey } from '@showfloor/protocol';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';

const SECRET = 'a-secret-of-the-hook-url-1234';
const lines: string[] = [];
let shop: TestShop;
let seller: Seller;

beforeAll(async () => {
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  shop = await startShop({ hookSecret: SECRET, log });
  seller = await shop.seller();
});
afterAll(() => shop?.close());

/** A hook as SRS 6 sends it: not signed, with fields of its own. */
function srs(action: string, stream: string, param: string, secret: string | null = SECRET) {
  const body = {
    server_id: 'vid-0xk989d',
    service_id: '382a8r2f',
    action,
    client_id: '341w361a',
    ip: '127.0.0.1',
    vhost: '__defaultVhost__',
    app: 'live',
    tcUrl: 'rtmp://127.0.0.1:1935/live',
    stream,
    param,
    stream_url: `/live/${stream}`,
    stream_id: 'vid-124q9y3',
  };
  const query = secret === null ? '' : `?secret=${secret}`;
  return shop.call<MediaHookAnswer>('POST', `/api/streaming/hooks/${action}${query}`, { body });
}

async function showWithKey(): Promise<{ show: ShowSummary; param: string }> {
  const show = await seller.show();
  const { body } = await seller.send<StreamKey>('POST', `/api/shows/${show.id}/stream-key`);
  return { show, param: body.streamKey.slice(body.streamKey.indexOf('?')) };
}

async function statusOf(show: ShowSummary): Promise<string | undefined> {
  const { body } = await seller.send<ShowList>('GET', '/api/seller/shows');
  return body.shows.find(({ id }) => id === show.id)?.status;
}

describe('SRS in the place of media-server', () => {
  test('its publish hooks move the show, and the outbox tells the rooms', async () => {
    const { show, param } = await showWithKey();
    const { playbackId } = show;
    expect((await srs('on_publish', playbackId, '?key=wrong')).body).toEqual({ code: 1, reason: 'wrong_key' });
    expect(await statusOf(show)).toBe('scheduled');
    const admitted = await srs('on_publish', playbackId, param);
    expect([admitted.status, admitted.body]).toEqual([200, { code: 0 }]);
    expect(await statusOf(show)).toBe('live');
    expect((await srs('on_play', playbackId, '')).body).toEqual({ code: 0 });
    expect((await srs('on_unpublish', playbackId, param)).body).toEqual({ code: 0 });
    expect(await statusOf(show)).toBe('interrupted');
    expect((await srs('on_publish', playbackId, param)).body).toEqual({ code: 0 });
    expect(await statusOf(show)).toBe('live');
    const rows = await shop.database.kysely
      .selectFrom('outbox')
      .select('payload')
      .where('topic', '=', playbackId)
      .orderBy('id')
      .execute();
    const told = rows.map(({ payload }) => payload as { type: string; data: { graceEndsAtMs?: number } });
    const events = told.filter(({ type }) => type.startsWith('stream.'));
    expect(events.map(({ type }) => type)).toEqual(['stream.started', 'stream.interrupted', 'stream.resumed']);
    expect(events[1]?.data.graceEndsAtMs).toBeGreaterThan(Date.now() + 60_000);
    await seller.send('POST', `/api/shows/${show.id}/stop`);
    expect((await srs('on_unpublish', playbackId, param)).body).toEqual({ code: 0 });
    expect(await statusOf(show)).toBe('ended');
  });

  test.each([
    ['no secret', null],
    ['another', 'a-secret-of-the-hook-url-1235'],
    ['an empty one', ''],
    ['two', `${SECRET}&secret=${SECRET}`],
  ])('%s in the URL: refused', async (_name, secret) => {
    const { show, param } = await showWithKey();
    expect((await srs('on_publish', show.playbackId, param, secret)).status).toBe(401);
    expect(await statusOf(show)).toBe('scheduled');
  });

  test('the secret of the URL opens the hooks and nothing else', async () => {
    const event = { id: 'evt_12345678', version: 1, type: 'stream.ended', playbackId: 'demo', atMs: 1, data: {} };
    expect((await shop.call('POST', `/internal/events?secret=${SECRET}`, { body: event })).status).toBe(401);
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.join('\n')).not.toContain(SECRET);
  });

  test('our own signed hooks move nothing: media-server tells events', async () => {
    const { show, param } = await showWithKey();
    const hook = { action: 'on_publish', client_id: 'c', ip: '::1', app: 'live', stream: show.playbackId, param };
    const answer = await shop.callSigned<MediaHookAnswer>('/api/streaming/hooks/on_publish', hook);
    expect(answer.body.data?.showId).toBe(show.id);
    expect(await statusOf(show)).toBe('scheduled');
  });
});

test('without a configured secret no unsigned hook is taken', async () => {
  const closed = await startShop();
  const body = { action: 'on_publish', client_id: 'c', ip: '::1', app: 'live', stream: 'demo', param: '' };
  for (const query of ['', '?secret=', '?secret=undefined']) {
    expect((await closed.call('POST', `/api/streaming/hooks/on_publish${query}`, { body })).status).toBe(401);
  }
  await closed.close();
});
