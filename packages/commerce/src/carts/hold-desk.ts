import type { Reason } from '@showfloor/protocol';
import { assert, assertNever, type Counter, type Gauge, type Histogram } from '@showfloor/service-kit';
import type { Database } from '../database/database.ts';
import { addDatabaseTime } from '../database/request-time.ts';
import { retryConflicts } from '../database/retry-conflicts.ts';
import { HOLD_STATEMENT, type HoldRow } from './hold-statement.ts';
import { releaseExpired } from './release-holds.ts';

/** Units that one buyer wants. `key` makes a repeated request harmless. */
export type HoldRequest = {
  readonly buyerId: string;
  readonly variantId: string;
  readonly quantity: number;
  readonly playbackId: string | null;
  readonly key: string | null;
};
export type HoldResult =
  | { readonly ok: true; readonly lineId: string }
  | { readonly ok: false; readonly reason: Reason; readonly availableUnits: number };

export type HoldRules = {
  readonly holdSeconds: number;
  /** Different variants one buyer may hold at a time (bar S12). */
  readonly activeHoldsMax: number;
  readonly unitsPerLineMax: number;
};
export const DEFAULT_HOLD_RULES: HoldRules = { holdSeconds: 600, activeHoldsMax: 3, unitsPerLineMax: 10 };

export type HoldDeskOptions = {
  readonly database: Database;
  readonly rules: HoldRules;
  readonly waitingMax?: number;
  readonly refusedAtBound?: Counter;
  readonly waiting?: Gauge;
  readonly batchSize?: Histogram;
};

const BATCH_MAX = 200;
const WAITING_MAX = 5_000;
const WAITING_PER_BUYER_MAX = 10;
/** Each round settles at least one request per variant; more rounds than this means that something is wrong. */
const ROUNDS_MAX = 50;

type Waiting = {
  readonly request: HoldRequest;
  readonly resolve: (result: HoldResult) => void;
  readonly reject: (error: unknown) => void;
  rounds: number;
  hasLookedForExpired: boolean;
};

type Undecided = { readonly entry: Waiting; readonly row: HoldRow };

/**
 * Where holds are made. Requests that arrive while a statement runs share the next one, in the order of their arrival;
 * a buyer's requests never share one. At the bound of its queue it answers `overloaded`.
 */
export class HoldDesk {
  readonly #options: HoldDeskOptions;
  readonly #waitingMax: number;
  #waiting: Waiting[] = [];
  readonly #waitingOfBuyer = new Map<string, number>();
  #isRunning = false;

  constructor(options: HoldDeskOptions) {
    this.#options = options;
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
  }

  /** Holds all of the requests, each for itself: some may be refused while others succeed. Throws when PostgreSQL fails. */
  hold(requests: readonly HoldRequest[]): Promise<HoldResult[]> {
    return Promise.all(requests.map((request) => this.#enqueue(request)));
  }

  async #enqueue(request: HoldRequest): Promise<HoldResult> {
    const ofBuyer = this.#waitingOfBuyer.get(request.buyerId) ?? 0;
    if (this.#waiting.length >= this.#waitingMax || ofBuyer >= WAITING_PER_BUYER_MAX) {
      this.#options.refusedAtBound?.inc();
      return { ok: false, reason: 'overloaded', availableUnits: 0 };
    }
    this.#waitingOfBuyer.set(request.buyerId, ofBuyer + 1);
    const startedMs = performance.now();
    try {
      return await new Promise<HoldResult>((resolve, reject) => {
        this.#waiting.push({ request, resolve, reject, rounds: 0, hasLookedForExpired: false });
        this.#options.waiting?.set(this.#waiting.length);
        this.#start();
      });
    } finally {
      addDatabaseTime(performance.now() - startedMs);
      this.#leave(request.buyerId);
    }
  }

  #leave(buyerId: string): void {
    const left = (this.#waitingOfBuyer.get(buyerId) ?? 1) - 1;
    if (left === 0) this.#waitingOfBuyer.delete(buyerId);
    else this.#waitingOfBuyer.set(buyerId, left);
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // One turn of the loop later: requests read from other sockets in this turn come along.
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      try {
        await this.#settle(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      this.#options.waiting?.set(this.#waiting.length);
    }
    this.#isRunning = false;
  }

  /** The oldest requests, at most one of each buyer. */
  #takeBatch(): Waiting[] {
    const batch: Waiting[] = [];
    const buyers = new Set<string>();
    const rest: Waiting[] = [];
    for (const entry of this.#waiting) {
      if (batch.length < BATCH_MAX && !buyers.has(entry.request.buyerId)) {
        buyers.add(entry.request.buyerId);
        batch.push(entry);
      } else {
        rest.push(entry);
      }
    }
    this.#waiting = rest;
    return batch;
  }

  /** Answers what the statement decided at once; what follows can fail only for requests that were not decided. */
  async #settle(batch: readonly Waiting[]): Promise<void> {
    this.#options.batchSize?.observe(batch.length);
    const rows = await this.#execute(batch.map(({ request }) => request));
    const retried: Undecided[] = [];
    const blocked: Undecided[] = [];
    for (const row of rows) {
      const entry = batch[row.n];
      assert(entry !== undefined, 'the hold statement answered a request that was not asked');
      entry.rounds += 1;
      if (entry.rounds < ROUNDS_MAX && row.verdict === 'retry') retried.push({ entry, row });
      else if (entry.rounds < ROUNDS_MAX && mayWaitOnExpired(row, entry)) blocked.push({ entry, row });
      else entry.resolve(resultOf(row));
    }
    try {
      retried.push(...(await this.#freeExpired(blocked)));
    } catch (error) {
      for (const { entry } of blocked) entry.reject(error);
    }
    this.#waiting = [...retried.map(({ entry }) => entry), ...this.#waiting];
  }

  /**
   * Holds that ran out but were not swept yet (the worker may be down) must not sell anything out. Returns the requests
   * that are worth another round, and answers the others.
   */
  async #freeExpired(blocked: readonly Undecided[]): Promise<Undecided[]> {
    const ofBuyers = blocked.filter(({ row }) => row.verdict === 'expired');
    const ofVariants = blocked.filter(({ row }) => row.verdict === 'insufficient_stock');
    const { kysely } = this.#options.database;
    if (ofBuyers.length > 0) {
      await releaseExpired(kysely, { userIds: ofBuyers.map(({ entry }) => entry.request.buyerId) });
    }
    if (ofVariants.length === 0) return ofBuyers;
    const variantIds = [...new Set(ofVariants.map(({ entry }) => entry.request.variantId))];
    const freed = new Set((await releaseExpired(kysely, { variantIds })).map(({ variantId }) => variantId));
    const again = [...ofBuyers];
    for (const undecided of ofVariants) {
      const { entry, row } = undecided;
      if (freed.has(entry.request.variantId)) {
        entry.hasLookedForExpired = true;
        again.push(undecided);
      } else {
        entry.resolve(resultOf(row));
      }
    }
    return again;
  }

  #execute(requests: readonly HoldRequest[]): Promise<HoldRow[]> {
    const { rules, database } = this.#options;
    const values = [
      requests.map((_, n) => n),
      requests.map(({ buyerId }) => buyerId),
      requests.map(({ variantId }) => variantId),
      requests.map(({ quantity }) => quantity),
      requests.map(({ playbackId }) => playbackId),
      requests.map(({ key }) => key),
      rules.holdSeconds,
      rules.activeHoldsMax,
      rules.unitsPerLineMax,
    ];
    return retryConflicts(async () => (await database.pool.query<HoldRow>({ ...HOLD_STATEMENT, values })).rows);
  }
}

/** Could freeing holds that ran out change the verdict? Asked of a variant's once. */
function mayWaitOnExpired({ verdict }: HoldRow, { hasLookedForExpired }: Waiting): boolean {
  return verdict === 'expired' || (verdict === 'insufficient_stock' && !hasLookedForExpired);
}

function resultOf(row: HoldRow): HoldResult {
  const refused = (reason: Reason): HoldResult => ({ ok: false, reason, availableUnits: row.available });
  switch (row.verdict) {
    case 'held':
    case 'replayed':
      return { ok: true, lineId: row.line_id ?? '' };
    case 'retry':
    case 'expired':
      return refused('overloaded');
    case 'no_cart':
      return refused('unauthenticated');
    case 'not_found':
    case 'payment_pending':
    case 'hold_limit':
    case 'body_mismatch':
    case 'insufficient_stock':
      return refused(row.verdict);
    default:
      return assertNever(row.verdict);
  }
}
