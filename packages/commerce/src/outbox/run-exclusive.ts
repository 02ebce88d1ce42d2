import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@showfloor/service-kit';
import pg from 'pg';

/** Any number: the same in every worker, used for nothing else. */
const LOCK_KEY = 7_102_001;
const RETRY_MS = 1_000;
const CHANNEL = 'showfloor_outbox';

export type ExclusiveOptions = {
  readonly url: string;
  readonly log: Logger;
  /** Called on NOTIFY, and after each reconnect (something may have been missed). */
  readonly onNotify: () => void;
  /** What only one worker at a time may do. Ends when its signal aborts. */
  readonly work: (signal: AbortSignal) => Promise<void>;
};

/**
 * Keeps one connection of its own that listens and holds an advisory lock; `work` runs while it does. A lost connection
 * stops the work (another worker may have the lock by then) and is replaced. Resolves once `signal` has aborted and the
 * work has ended.
 */
export async function runExclusive(options: ExclusiveOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await holdLock(options, signal);
    } catch (error) {
      options.log.warn({ err: error }, 'outbox.lock_lost');
    }
    if (!signal.aborted) await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function holdLock(options: ExclusiveOptions, signal: AbortSignal): Promise<void> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: 'showfloor-outbox-lock',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  const lost = new AbortController();
  client.on('error', (error) => lost.abort(error));
  client.on('end', () => lost.abort());
  client.on('notification', () => options.onNotify());
  try {
    await client.connect();
    const { rows } = await client.query<{ ok: boolean }>('select pg_try_advisory_lock($1) as ok', [LOCK_KEY]);
    if (rows[0]?.ok !== true) return; // another worker does it
    await client.query(`listen ${CHANNEL}`);
    options.onNotify();
    await options.work(AbortSignal.any([signal, lost.signal]));
  } finally {
    await client.end().catch(() => undefined);
  }
}
