/**
 * Was more sold than there was? Counted over all shoppers of a run, against the stock before it. A restock during the
 * run would hide behind this check or trip it: the lab cannot see one.
 */
import { pause } from '../clients/actor.ts';
import { ApiClient } from '../clients/api-client.ts';
import { monotonicMs } from '../clock.ts';
import { Recorder } from '../metrics/recorder.ts';
import { matchesSeries, parseSeriesKey } from '../metrics/series-key.ts';
import type { ShopItem, TargetAdapter, TargetDescription } from '../target/target.ts';

/** The stock is asked for this often, with growing pauses; then the run goes on without it and cannot judge oversell. */
export const BASELINE_ATTEMPTS_MAX = 4;
const ADDRESS = '10.255.255.254';

const ATTEMPT_PAUSE_MS = 250;

/** Units sold in one second: how many had a stock to compare with, and how many more than there were. */
export type StockFinding = { readonly checked: number; readonly oversold: number };

/** One run. */
export class StockCheck {
  readonly #before: ReadonlyMap<string, number>;
  readonly #sold = new Map<string, number>();

  constructor(before: ReadonlyMap<string, number>) {
    this.#before = before;
  }

  /**
   * Reads the stock as it is before anybody buys; without a shop, or with one that does not tell, nothing is known and
   * nothing will be checked.
   */
  static async begin(adapter: TargetAdapter, target: TargetDescription, signal: AbortSignal): Promise<StockCheck> {
    const shop = adapter.shop?.(target);
    if (shop === undefined || target.shop === null) return new StockCheck(new Map());
    const recorder = new Recorder(); // not part of the run's figures
    const api = new ApiClient({ baseUrl: target.shop.baseUrl, recorder, group: 'check', forwardedFor: ADDRESS });
    try {
      for (let attempt = 1; ; attempt += 1) {
        const session = await api.run(shop.signIn('Lab stock check'), monotonicMs());
        const items = session.ok ? await api.run(shop.listItems(session.value), monotonicMs()) : null;
        if (items?.ok) return new StockCheck(stockOf(items.value));
        if (attempt === BASELINE_ATTEMPTS_MAX) return new StockCheck(new Map());
        if (!(await pause(ATTEMPT_PAUSE_MS * 2 ** attempt, signal))) return new StockCheck(new Map());
      }
    } finally {
      api.close();
    }
  }

  /** Takes a second's counters. */
  add(counters: Readonly<Record<string, number>>): StockFinding {
    let [checked, oversold] = [0, 0];
    for (const [key, units] of Object.entries(counters)) {
      if (units === 0 || !matchesSeries(key, 'shop_units_sold_total')) continue;
      const variant = parseSeriesKey(key).tags.variant ?? '';
      const before = this.#before.get(variant);
      const sold = (this.#sold.get(variant) ?? 0) + units;
      this.#sold.set(variant, sold);
      if (before === undefined) continue;
      checked += units;
      oversold += Math.max(0, Math.min(units, sold - before));
    }
    return { checked, oversold };
  }
}

function stockOf(items: readonly ShopItem[]): Map<string, number> {
  return new Map(items.map(({ variantId, availableUnits }) => [variantId, availableUnits]));
}
