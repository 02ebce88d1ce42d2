import type { Counter, Histogram, Logger } from '@showfloor/service-kit';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { addDatabaseTime } from './request-time.ts';
import type { Tables } from './tables.ts';

/** How a process reaches PostgreSQL. The owner calls `close`. */
export type Database = {
  readonly kysely: Kysely<Tables>;
  /** For the few statements that are prepared by name. */
  readonly pool: pg.Pool;
  readonly close: () => Promise<void>;
};

export type DatabaseOptions = {
  /** `postgres://user:password@host/name`, or `postgres://user@localhost/name?host=/folder/of/the/socket`. */
  readonly url: string;
  readonly poolMax: number;
  readonly applicationName: string;
  readonly log: Logger;
  readonly queryDuration?: Histogram;
  readonly connectionErrors?: Counter;
  readonly statementTimeoutMs?: number;
};

/** Longer than any statement we write should ever take; a stuck lock must not hold a connection. */
const STATEMENT_TIMEOUT_MS = 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
/** A request that cannot have a connection by then answers 503: waiting longer only moves the queue here. */
const POOL_WAIT_MS = 2_000;
const POOL_IDLE_MS = 600_000;

/** Opens a pool. Connects lazily: PostgreSQL may be down now and come back without a restart of this process. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = createPool(options);
  const kysely = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    log: (event) => {
      addDatabaseTime(event.queryDurationMillis);
      options.queryDuration?.observe(event.queryDurationMillis / 1000);
    },
  });
  return { kysely, pool, close: () => kysely.destroy() };
}

/** A bare pool with our limits. A connection that breaks, idle or in use, is counted and replaced, never fatal. */
export function createPool(options: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolMax,
    application_name: options.applicationName,
    connectionTimeoutMillis: POOL_WAIT_MS,
    idleTimeoutMillis: POOL_IDLE_MS,
    statement_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
  });
  const onLost = (error: Error): void => {
    options.connectionErrors?.inc();
    options.log.warn({ err: error }, 'database.connection_lost');
  };
  // The pool listens to idle connections only; one that breaks while a transaction has it would end the process. The
  // transaction itself fails at its next statement.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', onLost));
  return pool;
}

const INT8 = 20;
/** bigint as number: our counters stay far below 2^53. */
function typeParser(oid: number, format?: 'text' | 'binary'): unknown {
  if (oid === INT8) return Number;
  return pg.types.getTypeParser(oid, format as 'text');
}

const UNAVAILABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT', // the socket file is gone
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  '25P02', // the connection's transaction was cut short by the one before
  '53300', // too many connections
  '55P03', // lock not available
  '57014', // statement timeout
  '57P01', // admin shutdown
  '57P02', // crash shutdown
  '57P03', // starting up
  '58000',
]);
const UNAVAILABLE_MESSAGES = [
  'timeout exceeded when trying to connect',
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed',
  'not queryable',
];

/** True for errors that mean "PostgreSQL cannot serve this now": answer 503 and let the caller try again. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && (UNAVAILABLE_CODES.has(code) || code.startsWith('08'))) return true;
  return UNAVAILABLE_MESSAGES.some((message) => error.message.includes(message));
}

/** The SQLSTATE of a failed statement, or null. */
export function sqlState(error: unknown): string | null {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** Resolves once PostgreSQL answers. Throws after `timeoutMs`, naming DATABASE_URL; starting again later may work. */
export async function waitForDatabase(database: Database, timeoutMs: number): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    try {
      await database.pool.query('select 1');
      return;
    } catch (error) {
      if (Date.now() > deadlineMs) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`PostgreSQL does not answer (${why}): start it, or check DATABASE_URL`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
