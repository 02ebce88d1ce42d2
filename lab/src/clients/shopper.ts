/** A virtual shopper: signs in as a guest, looks, holds a product, pays or lets go, and checks that the shop kept its word. */
import { monotonicMs } from '../clock.ts';
import type { ShopperOptions } from '../engine/scenario.ts';
import type { Counter } from '../metrics/recorder.ts';
import type { ApiResult, ApiStep, ShopDialect, ShopOrder } from '../target/target.ts';
import { type ActorContext, forwardedAddress, pause } from './actor.ts';
import { ApiClient } from './api-client.ts';
import { askUntilDecided } from './ask-until-decided.ts';
import { runPaced } from './paced-visits.ts';

/** Every n-th order is sent a second time with the same key: it must be the same order. */
const REPEAT_EVERY = 2;
const THINK_MS = 300;

/** Shops until the signal aborts. */
export async function runShopper(context: ActorContext, options: ShopperOptions): Promise<void> {
  const { target, adapter, recorder, vu, random, signal } = context;
  const shop = adapter.shop?.(target);
  if (shop === undefined || target.shop === null) return;
  const api = new ApiClient({
    baseUrl: target.shop.baseUrl,
    recorder,
    group: vu.group,
    forwardedFor: forwardedAddress(vu.id),
  });
  const shopper = new Shopper(context, options, shop, api);
  const dropped = recorder.counter('dropped_iterations_total', { group: vu.group });
  const pacing = {
    firstAtMs: context.intendedStartMs,
    untilMs: context.intendedStopMs,
    meanMs: options.visitEveryMs,
    random,
    signal,
    onLateness: context.late,
    onDropped: () => dropped.add(),
  };
  try {
    await runPaced(pacing, (dueMs, index) => shopper.visit(dueMs, index));
  } finally {
    api.close();
  }
}

type ShopCounters = Readonly<
  Record<
    | 'visits'
    | 'stockReads'
    | 'carts'
    | 'checkouts'
    | 'orders'
    | 'undecided'
    | 'rechecks'
    | 'duplicates'
    | 'mismatches'
    | 'negativeStock',
    Counter
  >
>;

class Shopper {
  readonly #context: ActorContext;
  readonly #options: ShopperOptions;
  readonly #shop: ShopDialect;
  readonly #api: ApiClient;
  readonly #count: ShopCounters;
  #session: string | null = null;
  #keys = 0;
  readonly #paidKeys = new Map<string, string>();
  /** Checkouts of this session whose end is unknown. */
  #openCheckouts = 0;

  constructor(context: ActorContext, options: ShopperOptions, shop: ShopDialect, api: ApiClient) {
    this.#context = context;
    this.#options = options;
    this.#shop = shop;
    this.#api = api;
    const counter = (metric: string): Counter => context.recorder.counter(metric, { group: context.vu.group });
    this.#count = {
      visits: counter('shop_visits_total'),
      stockReads: counter('shop_stock_reads_total'),
      carts: counter('shop_carts_total'),
      checkouts: counter('checkouts_total'),
      orders: counter('orders_paid_total'),
      undecided: counter('orders_undecided_total'),
      rechecks: counter('orders_rechecked_total'),
      duplicates: counter('duplicate_orders_total'),
      mismatches: counter('cart_total_mismatches_total'),
      negativeStock: counter('negative_stock_total'),
    };
  }

  /** One visit; the first one always buys, so that a short run has something to judge. */
  async visit(dueMs: number, index: number): Promise<void> {
    this.#count.visits.add();
    const isSignedIn = this.#session !== null;
    const session = await this.#signIn(dueMs);
    if (session === null) return;
    const items = await this.#api.run(this.#shop.listItems(session), isSignedIn ? dueMs : monotonicMs());
    if (!items.ok) return this.#forget(items.reason);
    if (items.value.length > 0) this.#count.stockReads.add();
    if (items.value.some(({ availableUnits }) => availableUnits < 0))
      this.#violation('negativeStock', 'negative_stock');
    const wanted = items.value.filter(({ availableUnits }) => availableUnits > 0);
    const item = wanted[Math.floor(this.#context.random() * wanted.length)];
    if (item === undefined || !(await this.#think())) return;

    const cart = await this.#step(this.#shop.hold(session, item.variantId, this.#newKey()));
    if (cart === null) return;
    this.#count.carts.add();
    if (cart.totalMinor !== cart.lineSumMinor) this.#violation('mismatches', 'cart_total_mismatch');
    const isThinking = await this.#think();
    if (!isThinking || (index > 0 && this.#context.random() < this.#options.abandonShare)) {
      for (const lineId of cart.lineIds) await this.#step(this.#shop.release(session, lineId));
      return;
    }
    await this.#pay(session, item.variantId);
  }

  async #pay(session: string, variantId: string): Promise<void> {
    const key = this.#newKey();
    this.#count.checkouts.add();
    const order = await this.#checkout(session, key);
    if (order === null) return;
    this.#count.orders.add();
    this.#context.recorder
      .counter('shop_units_sold_total', { group: this.#context.vu.group, variant: variantId })
      .add();
    if ([...this.#paidKeys.values()].includes(order.id)) this.#violation('duplicates', 'order_id_reused');
    this.#paidKeys.set(key, order.id);
    if (this.#paidKeys.size % REPEAT_EVERY === 1) {
      const again = await this.#step(this.#shop.checkout(session, key));
      if (again !== null) this.#count.rechecks.add();
      if (again !== null && again.id !== order.id) this.#violation('duplicates', 'order_placed_twice');
    }
    const orders = await this.#step(this.#shop.listOrders(session));
    if (orders === null) return;
    this.#count.rechecks.add();
    const extra = orders.filter(({ isPaid }) => isPaid).length - this.#paidKeys.size - this.#openCheckouts;
    if (extra > 0) this.#violation('duplicates', 'more_orders_than_checkouts');
  }

  /** The paid order; null when it was refused, failed, or stayed undecided. */
  async #checkout(session: string, key: string): Promise<ShopOrder | null> {
    const { answer, isGivenUp } = await askUntilDecided(
      () => this.#ask(this.#shop.checkout(session, key)),
      (result) => result.ok && result.value.isPending,
      (ms) => pause(ms, this.#context.signal),
    );
    if (answer.ok && answer.value.isPaid) return answer.value;
    // Without a clear no it may show up as a paid order later, and is then not one too many.
    if (answer.ok ? answer.value.isPending : !answer.isExpected) this.#openCheckouts += 1;
    if (isGivenUp) this.#violation('undecided', 'order_undecided');
    return null;
  }

  async #signIn(dueMs: number): Promise<string | null> {
    if (this.#session !== null) return this.#session;
    const { random, signal, vu } = this.#context;
    for (let intendedAtMs = dueMs; ; intendedAtMs = monotonicMs()) {
      const answer = await this.#api.run(this.#shop.signIn(`Shopper ${vu.id}`), intendedAtMs);
      if (answer.ok) {
        this.#session = answer.value;
        this.#paidKeys.clear();
        this.#openCheckouts = 0;
        return answer.value;
      }
      if (!answer.isExpected || !(await pause(1000 + 1000 * random(), signal))) return null;
    }
  }

  /** The session may have run out: the next visit signs in again. */
  #forget(reason: string): void {
    this.#session = null;
    this.#context.event('shop_session_dropped', { reason });
  }

  async #step<T>(step: ApiStep<T>): Promise<T | null> {
    const result = await this.#ask(step);
    return result.ok ? result.value : null;
  }

  async #ask<T>(step: ApiStep<T>): Promise<ApiResult<T>> {
    const result = await this.#api.run(step, monotonicMs());
    if (!result.ok && !result.isExpected) {
      this.#context.event('api_error', { step: step.name, reason: result.reason });
    }
    return result;
  }

  #violation(counter: keyof ShopCounters, name: string): void {
    this.#count[counter].add();
    this.#context.event(name);
  }

  #newKey(): string {
    this.#keys += 1;
    return `lab-${this.#context.runId}-${this.#context.vu.id}-${this.#keys}`;
  }

  #think(): Promise<boolean> {
    return pause(THINK_MS * (0.5 + this.#context.random()), this.#context.signal);
  }
}
