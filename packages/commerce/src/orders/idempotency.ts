import { createHash, randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';

/** The right to work on a key: whoever holds it, and nobody else, may create its order. */
export type Lease = { readonly userId: string; readonly key: string; readonly owner: string };
/** What the first request was answered with; every repetition is answered with the same. */
export type StoredResponse = { readonly status: number; readonly body: unknown };
export type KeyState =
  | { readonly state: 'mine'; readonly lease: Lease; readonly orderId: string | null }
  | { readonly state: 'done'; readonly response: StoredResponse }
  | { readonly state: 'busy' }
  | { readonly state: 'other_body' };

/** A holder that has died is replaced after this; one that lives renews it in time. */
export const LEASE_MS = 4_000;
const RENEW_MS = 1_000;

/** SHA-256 of a request's body, whatever the order of its fields. */
export function requestHash(body: unknown): Buffer {
  return createHash('sha256').update(canonical(body)).digest();
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}

/**
 * Takes the key, or says what stands in the way. A key whose holder died is taken over together with the order it had
 * reached.
 */
export async function takeKey(
  db: Kysely<Tables>,
  request: { readonly userId: string; readonly key: string; readonly hash: Buffer },
): Promise<KeyState> {
  const lease: Lease = { userId: request.userId, key: request.key, owner: randomUUID() };
  const inserted = await db
    .insertInto('idempotency_keys')
    .values({
      user_id: request.userId,
      key: request.key,
      request_hash: request.hash,
      owner: lease.owner,
      leased_until: leaseEnd(),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .executeTakeFirst();
  if (inserted !== undefined) return { state: 'mine', lease, orderId: null };
  const row = await db
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'response_status', 'response_body'])
    .where('user_id', '=', request.userId)
    .where('key', '=', request.key)
    .executeTakeFirst();
  if (row === undefined) return { state: 'busy' }; // let go between the two statements
  if (!row.request_hash.equals(request.hash)) return { state: 'other_body' };
  if (row.response_status !== null) {
    return { state: 'done', response: { status: row.response_status, body: row.response_body } };
  }
  const taken = await db
    .updateTable('idempotency_keys')
    .set({ owner: lease.owner, leased_until: leaseEnd() })
    .where('user_id', '=', request.userId)
    .where('key', '=', request.key)
    .where('response_status', 'is', null)
    .where('leased_until', '<', sql<Date>`clock_timestamp()`)
    .returning('order_id')
    .executeTakeFirst();
  return taken === undefined ? { state: 'busy' } : { state: 'mine', lease, orderId: taken.order_id };
}

/** Runs `work` while renewing the lease. Renewal that fails only lets the lease run out. */
export async function whileLeased<T>(db: Kysely<Tables>, lease: Lease, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {
    ownRow(db, lease)
      .set({ leased_until: leaseEnd() })
      .execute()
      .catch(() => undefined);
  }, RENEW_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Part of the transaction that creates the order. Throws {@link LeaseLost} when another has taken over meanwhile. */
export async function tieToOrder(tx: Kysely<Tables>, lease: Lease, orderId: string): Promise<void> {
  const { numUpdatedRows } = await ownRow(tx, lease)
    .set({ order_id: orderId, leased_until: leaseEnd() })
    .where('order_id', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new LeaseLost();
}

/** Stores the response for good. */
export async function finishKey(db: Kysely<Tables>, lease: Lease, response: StoredResponse): Promise<void> {
  await db
    .updateTable('idempotency_keys')
    .set({ response_status: response.status, response_body: JSON.stringify(response.body) })
    .where('user_id', '=', lease.userId)
    .where('key', '=', lease.key)
    .where('response_status', 'is', null)
    .execute();
}

/** Lets go without a response: the next request with the key starts or continues at once. */
export async function releaseKey(db: Kysely<Tables>, lease: Lease): Promise<void> {
  await ownRow(db, lease)
    .set({ leased_until: new Date(0) })
    .execute();
}

/** Forgets a key whose request changed nothing, so that it may be tried again once the reason is gone. */
export async function forgetKey(db: Kysely<Tables>, lease: Lease): Promise<void> {
  await db
    .deleteFrom('idempotency_keys')
    .where('user_id', '=', lease.userId)
    .where('key', '=', lease.key)
    .where('owner', '=', lease.owner)
    .where('order_id', 'is', null)
    .execute();
}

/** Somebody else works on this key now. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

function ownRow(db: Kysely<Tables>, lease: Lease) {
  return db
    .updateTable('idempotency_keys')
    .where('user_id', '=', lease.userId)
    .where('key', '=', lease.key)
    .where('owner', '=', lease.owner);
}

function leaseEnd() {
  return sql<Date>`clock_timestamp() + make_interval(secs => ${LEASE_MS / 1000})`;
}
