/** What the button of a product offers: a hold, or the reason why there is none. */
export type HoldOffer = 'hold' | 'sold-out' | 'closed';

/** The end of a show closes holding, whatever is in stock; what is held already can still be paid. */
export function holdOfferOf(isShowOver: boolean, availableUnits: number): HoldOffer {
  if (isShowOver) return 'closed';
  return availableUnits > 0 ? 'hold' : 'sold-out';
}

/** Long enough to be read, should the shop answer again at once. */
export const OUTAGE_NOTICE_MIN_MS = 6_000;

/**
 * When the notice about a hold the shop did not answer goes away: with the shop's next answer, yet not before it could be
 * read. Null: the shop has not answered since. All in milliseconds of the page clock.
 */
export function outageNoticeEndMs(failedAtMs: number, shopAnsweredAtMs: number): number | null {
  if (shopAnsweredAtMs <= failedAtMs) return null;
  return Math.max(shopAnsweredAtMs, failedAtMs + OUTAGE_NOTICE_MIN_MS);
}
