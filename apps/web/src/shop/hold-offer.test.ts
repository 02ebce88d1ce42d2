import { expect, test } from 'vitest';
import { type HoldOffer, holdOfferOf, OUTAGE_NOTICE_MIN_MS, outageNoticeEndMs } from './hold-offer.ts';

test('a product is held while the show goes on and stock lasts', () => {
  check({ isOver: false, units: 3 }, 'hold');
  check({ isOver: false, units: 0 }, 'sold-out');
});

test('the end of the show closes holding, sold out or not', () => {
  check({ isOver: true, units: 3 }, 'closed');
  check({ isOver: true, units: 0 }, 'closed');
});

test('the notice of an outage stays until the shop answers', () => {
  expect(outageNoticeEndMs(10_000, 0)).toBeNull();
  expect(outageNoticeEndMs(10_000, 9_999)).toBeNull();
  expect(outageNoticeEndMs(10_000, 40_000)).toBe(40_000);
});

test('the notice can be read although the shop answers again at once', () => {
  expect(outageNoticeEndMs(10_000, 10_020)).toBe(10_000 + OUTAGE_NOTICE_MIN_MS);
});

function check(input: { readonly isOver: boolean; readonly units: number }, offer: HoldOffer): void {
  expect(holdOfferOf(input.isOver, input.units)).toBe(offer);
}
