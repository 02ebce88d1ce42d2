/**
 * Was more sold than there was? Counted over all shoppers of a run, against the stock before it. A restock during the
 * run would hide behind this check or trip it: the lab cannot see one.
 */
import { ApiClient } from '../clients/api-client.ts';
import { monotonicMs } from '../clock.ts';
import { Recorder } from '../metrics/recorder.ts';
import { matchesSeries, parseSeriesKey } from '../metrics/series-key.ts';
import type { TargetAdapter, TargetDescription } from '../target/target.ts';

const ADDRESS = '10.255.255.254';

/** One run. */
export class StockCheck {
  readonly #before: ReadonlyMap<string, number>;
  readonly #sold = new Map<string, number>();

  constructor(before: ReadonlyMap<string, number>) {
    this.#before = before;
  }

  /** Reads the stock as it is before anybody buys; without a shop there is nothing to check. */
  static async begin(adapter: TargetAdapter, target: TargetDescription): Promise<StockCheck> {
    const shop = adapter.shop?.(target);
    if (shop === undefined || target.shop === null) return new StockCheck(new Map());
    const recorder = new Recorder(); // not part of the run's figures
    const api = new ApiClient({ baseUrl: target.shop.baseUrl, recorder, group: 'check', forwardedFor: ADDRESS });
    try {
      const session = await api.run(shop.signIn('Lab stock check'), monotonicMs());
      const items = session.ok ? await api.run(shop.listItems(session.value), monotonicMs()) : null;
      if (!items?.ok) return new StockCheck(new Map());
      return new StockCheck(new Map(items.value.map(({ variantId, availableUnits }) => [variantId, availableUnits])));
    } finally {
      api.close();
    }
  }

  /** Takes a second's counters; returns how many units more than there were have been sold in it. */
  add(counters: Readonly<Record<string, number>>): number {
    let oversold = 0;
    for (const [key, units] of Object.entries(counters)) {
      if (units === 0 || !matchesSeries(key, 'shop_units_sold_total')) continue;
      const variant = parseSeriesKey(key).tags.variant ?? '';
      const before = this.#before.get(variant);
      const sold = (this.#sold.get(variant) ?? 0) + units;
      this.#sold.set(variant, sold);
      if (before !== undefined) oversold += Math.max(0, Math.min(units, sold - before));
    }
    return oversold;
  }
}
