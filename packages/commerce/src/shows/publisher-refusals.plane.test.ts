import type { PublisherRefused, ShowDetail, ShowList, ShowSummary } from '@showfloor/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Seller, startShop, type TestShop } from '../../test-postgres/test-shop.ts';

let shop: TestShop;
let seller: Seller;

beforeAll(async () => {
  shop = await startShop();
  seller = await shop.seller();
});
afterAll(() => shop?.close());

async function tell(show: ShowSummary, atMs: number, reason: string): Promise<string> {
  const event: PublisherRefused = {
    id: `evt_${crypto.randomUUID()}`,
    version: 1,
    type: 'stream.publisher_refused',
    playbackId: show.playbackId,
    atMs,
    data: { showId: show.id, reason, text: 'Another encoder is on air with this key.' },
  };
  const { status, body } = await shop.callSigned<{ outcome: string }>('/internal/events', event);
  expect(status).toBe(200);
  return body.outcome;
}

test('an encoder that was turned away is shown to the seller of the show, and to nobody else', async () => {
  const [show, other] = [await seller.show(), await seller.show()];
  expect(await tell(show, 2_000, 'rival')).toBe('applied');
  expect(await tell(show, 1_000, 'no_keyframe')).toBe('stale');
  expect(await tell({ ...show, id: other.id }, 3_000, 'rival')).toBe('stale'); // of another show's name
  const { body } = await seller.send<ShowList>('GET', '/api/seller/shows');
  const told = new Map(body.shows.map(({ id, publisherRefused }) => [id, publisherRefused]));
  expect(told.get(show.id)).toEqual({ atMs: 2_000, reason: 'rival', text: 'Another encoder is on air with this key.' });
  expect(told.get(other.id)).toBeUndefined();
  const detail = await shop.call<ShowDetail>('GET', `/api/shows/${show.playbackId}`);
  const upcoming = await shop.call<ShowList>('GET', '/api/streaming/upcoming');
  expect(detail.text + upcoming.text).not.toContain('publisherRefused');
});
