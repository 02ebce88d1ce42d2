import { setTimeout as sleep } from 'node:timers/promises';
import { LIVE_EVENT_BYTES_MAX, LIVE_EVENTS_PATH } from '@showfloor/protocol';
import { type Counter, type Gauge, type Histogram, type Logger, signWebhook } from '@showfloor/service-kit';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';

export type RelayOptions = {
  readonly db: Kysely<Tables>;
  /** Base URL of the realtime plane, without trailing slash. */
  readonly realtimeUrl: string;
  readonly webhookSecret: string;
  readonly log: Logger;
  readonly delivered?: Counter;
  readonly failed?: Counter;
  readonly deadLetters?: Counter;
  readonly coalesceFailures?: Counter;
  readonly waiting?: Gauge;
  readonly delay?: Histogram;
};

type Row = {
  readonly id: number;
  readonly eventId: string;
  readonly topic: string;
  readonly payload: Record<string, unknown>;
  readonly attempts: number;
  readonly ageMs: number;
};
type Delivery = 'delivered' | 'refused' | 'unreachable';

const ROWS_PER_PASS_MAX = 500;
/** Superseded stock levels that one pass deletes at most; the next pass goes on. */
const COALESCED_PER_PASS_MAX = 10_000;
/** Leaving old stock levels in place only costs deliveries: after a failure it can wait. */
const COALESCE_REST_MS = 30_000;
const TOPICS_AT_ONCE_MAX = 8;
const DELIVERY_TIMEOUT_MS = 5_000;
/** Stock is found by polling; everything else wakes the relay. */
const POLL_MS = 100;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MS_MAX = 5_000;
/** The receiver answers, and says no: asking for ever would hold up everything behind it. */
const REFUSALS_MAX = 5;
/** Nobody wants yesterday's pin. Counted as dead letters. */
const AGE_MS_MAX = 24 * 3_600_000;

/**
 * Carries the outbox to the realtime plane: in order within a topic, topics side by side, at least once. While the
 * receiver is away it waits with growing pauses and keeps, of stock, only the latest level; nothing else is dropped for a
 * day. Run one at a time (see `run-exclusive.ts`).
 */
export class OutboxRelay {
  readonly #options: RelayOptions;
  #failures = 0;
  #coalesceAfterMs = 0;
  #wake: () => void = () => undefined;
  #isWoken = false;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Something was written to the outbox. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Runs until the signal aborts. Database errors end a pass, not the relay. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let isMore = false;
      try {
        isMore = await this.pass(signal);
      } catch (error) {
        this.#failures += 1;
        this.#options.log.warn({ err: error }, 'outbox.pass_failed');
      }
      if (this.#failures > 0) await pause(this.#backoffMs(), signal);
      else if (!isMore) await this.#sleepUntilWoken(signal);
    }
  }

  /** Delivers what waits now, once. Resolves with true when there is more to do at once. */
  async pass(signal: AbortSignal): Promise<boolean> {
    const rows = await this.#waitingRows();
    this.#options.waiting?.set(rows.length);
    if (rows.length === 0) {
      this.#failures = 0;
      return false;
    }
    const topics = [...Map.groupBy(rows, ({ topic }) => topic).values()];
    let isReachable = true;
    const workers = Array.from({ length: Math.min(TOPICS_AT_ONCE_MAX, topics.length) }, async () => {
      for (let topic = topics.shift(); topic !== undefined; topic = topics.shift()) {
        if (signal.aborted || !isReachable) return;
        if (!(await this.#deliverTopic(topic, signal))) isReachable = false;
      }
    });
    await Promise.all(workers);
    if (signal.aborted) return false;
    this.#failures = isReachable ? 0 : this.#failures + 1;
    return isReachable && rows.length === ROWS_PER_PASS_MAX;
  }

  /** The oldest events; of stock levels that wait for the same variant only the newest. */
  async #waitingRows(): Promise<Row[]> {
    await this.#coalesce();
    const { rows } = await sql<Row>`
      select id, event_id as "eventId", topic, payload, attempts,
             (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 as "ageMs"
        from outbox where dead_at is null order by id limit ${ROWS_PER_PASS_MAX}`.execute(this.#options.db);
    return rows;
  }

  /** Deletes stock levels that a newer one has superseded. It saves work, so its failure keeps no event from leaving. */
  async #coalesce(): Promise<void> {
    if (Date.now() < this.#coalesceAfterMs) return;
    try {
      await sql`
        delete from outbox where id in (
          select o.id from outbox o where o.coalesce_key is not null and o.dead_at is null and exists (
            select from outbox n where n.coalesce_key = o.coalesce_key and n.dead_at is null and n.id > o.id)
           order by o.id limit ${COALESCED_PER_PASS_MAX})`.execute(this.#options.db);
    } catch (error) {
      this.#coalesceAfterMs = Date.now() + COALESCE_REST_MS;
      this.#options.coalesceFailures?.inc();
      this.#options.log.warn({ err: error }, 'outbox.coalesce_failed');
    }
  }

  /**
   * False when the receiver cannot be reached, or the signal aborted (another worker may be at it by then): the rest of the
   * topic waits, in order.
   */
  async #deliverTopic(rows: readonly Row[], signal: AbortSignal): Promise<boolean> {
    for (const row of rows) {
      if (signal.aborted) return false;
      const body = JSON.stringify({ id: row.eventId, ...row.payload });
      if (row.ageMs > AGE_MS_MAX || Buffer.byteLength(body) > LIVE_EVENT_BYTES_MAX) {
        await this.#bury(row, row.ageMs > AGE_MS_MAX ? 'too old' : 'too large');
        continue;
      }
      const [outcome, why] = await this.#post(row.eventId, body, signal);
      if (outcome === 'delivered') {
        await this.#options.db.deleteFrom('outbox').where('id', '=', row.id).execute();
        this.#options.delivered?.inc();
        this.#options.delay?.observe(row.ageMs / 1000);
        continue;
      }
      if (signal.aborted) return false; // cut off by us: the receiver has not failed
      this.#options.failed?.inc();
      if (outcome === 'refused' && row.attempts + 1 >= REFUSALS_MAX) await this.#bury(row, why);
      else {
        await this.#noteFailure(row, outcome, why);
        return false;
      }
    }
    return true;
  }

  async #post(id: string, body: string, signal: AbortSignal): Promise<[Delivery, string]> {
    const { realtimeUrl, webhookSecret } = this.#options;
    try {
      const response = await fetch(`${realtimeUrl}${LIVE_EVENTS_PATH}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signWebhook(webhookSecret, id, Date.now(), body) },
        body,
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(DELIVERY_TIMEOUT_MS)]),
      });
      await response.arrayBuffer();
      if (response.ok) return ['delivered', ''];
      const isRefusal = response.status >= 400 && response.status < 500 && ![408, 425, 429].includes(response.status);
      return [isRefusal ? 'refused' : 'unreachable', `answered ${response.status}`];
    } catch (error) {
      return ['unreachable', error instanceof Error ? error.message : String(error)];
    }
  }

  async #noteFailure(row: Row, outcome: Delivery, why: string): Promise<void> {
    if (this.#failures === 0) this.#options.log.warn({ outboxId: row.id, outcome, why }, 'outbox.delivery_failed');
    await this.#options.db
      .updateTable('outbox')
      .set({ attempts: outcome === 'refused' ? row.attempts + 1 : row.attempts, last_error: why })
      .where('id', '=', row.id)
      .execute();
  }

  async #bury(row: Row, why: string): Promise<void> {
    await this.#options.db
      .updateTable('outbox')
      .set({ dead_at: new Date(), last_error: why })
      .where('id', '=', row.id)
      .execute();
    this.#options.deadLetters?.inc();
    this.#options.log.error({ outboxId: row.id, topic: row.topic, why }, 'outbox.event_buried');
  }

  #backoffMs(): number {
    const full = Math.min(BACKOFF_MS_MAX, BACKOFF_FIRST_MS * 2 ** Math.min(10, this.#failures - 1));
    return full * (0.5 + Math.random() / 2);
  }

  async #sleepUntilWoken(signal: AbortSignal): Promise<void> {
    if (!this.#isWoken) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, pause(POLL_MS, signal)]);
    }
    this.#isWoken = false;
  }
}

/** Sleeps; returns early when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
