import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { requestHash } from '../orders/idempotency.ts';
import { ProblemError } from './problems.ts';

/**
 * Runs `write` in a transaction; with a key, once: a repetition waits for the first and gets its answer, another body under
 * the same key is refused. For writes that PostgreSQL alone decides. Nothing is kept of a write that was refused.
 */
export function writeOnce<T>(
  db: Kysely<Tables>,
  request: {
    readonly userId: string;
    readonly key: string | undefined;
    readonly route: string;
    readonly body: unknown;
  },
  write: (tx: Kysely<Tables>) => Promise<T>,
): Promise<T> {
  const { userId, key } = request;
  return db.transaction().execute(async (tx) => {
    if (key === undefined) return write(tx);
    const hash = requestHash({ route: request.route, body: request.body });
    const isFirst = await tx
      .insertInto('idempotency_keys')
      .values({ user_id: userId, key, request_hash: hash, owner: randomUUID(), leased_until: new Date() })
      .onConflict((conflict) => conflict.doNothing()) // waits for a first request that has not committed yet
      .returning('key')
      .executeTakeFirst();
    if (isFirst === undefined) return readAnswer<T>(tx, userId, key, hash);
    const answer = await write(tx);
    await tx
      .updateTable('idempotency_keys')
      .set({ response_status: 200, response_body: JSON.stringify(answer) })
      .where('user_id', '=', userId)
      .where('key', '=', key)
      .execute();
    return answer;
  });
}

async function readAnswer<T>(tx: Kysely<Tables>, userId: string, key: string, hash: Buffer): Promise<T> {
  const row = await tx
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'response_status', 'response_body'])
    .where('user_id', '=', userId)
    .where('key', '=', key)
    .executeTakeFirst();
  if (row === undefined || !row.request_hash.equals(hash)) throw new ProblemError('body_mismatch');
  if (row.response_status === null) throw new ProblemError('conflict');
  return row.response_body as T;
}
