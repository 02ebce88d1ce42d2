/** A PostgreSQL by its statistics views (https://www.postgresql.org/docs/current/monitoring-stats.html), strategy 3.7. */
import pg from 'pg';
import { monotonicMs } from '../clock.ts';
import { type Collector, MEGABYTE, onlyFinite, type Reading } from './collector.ts';

/** A cache hit ratio of a few blocks says nothing. */
const BLOCKS_MIN = 1000;
const SLOW_MS = 1000;
const STATEMENT_MS_MAX = 3000;

/**
 * One round trip for all. Sessions that only wait for their client are not "waiting": every idle connection would be.
 * What a role may not see is null, never an error.
 */
const QUERY = `
  select a.*, d.*, l.*, b.*, current_setting('max_connections')::int as max_connections,
         pg_database_size(current_database()) as size_bytes
    from (select count(*) as connections,
                 count(*) filter (where state = 'active' and pid <> pg_backend_pid()) as active,
                 count(*) filter (where state like 'idle in transaction%') as idle_in_transaction,
                 count(*) filter (where state <> 'idle' and wait_event_type <> 'Client' and pid <> pg_backend_pid()) as waiting,
                 coalesce(extract(epoch from max(now() - xact_start) filter (where pid <> pg_backend_pid())), 0)
                   as longest_transaction_s
            from pg_stat_activity where backend_type = 'client backend') a,
         (select sum(xact_commit) as commits, sum(xact_rollback) as rollbacks, sum(blks_hit) as hits,
                 sum(blks_read) as reads, sum(deadlocks) as deadlocks, sum(temp_bytes) as temp_bytes,
                 max(stats_reset)::text as stats_reset
            from pg_stat_database) d,
         (select count(*) as locks_waiting from pg_locks where not granted) l,
         (select buffers_clean, buffers_alloc from pg_stat_bgwriter) b`;

/** Numbers that PostgreSQL writes as text (bigint, numeric) and texts, by column. */
type Row = Readonly<Record<string, string | number | null>>;

/** `url`: `postgres://user:password@host/database`. The role needs `pg_monitor` to see others' sessions. */
export function postgresCollector(source: string, url: URL): Collector {
  let client: pg.Client | null = null;
  let first: Row | null = null;
  let earlier: { readonly row: Row; readonly atMs: number } | null = null;
  const drop = (): void => {
    void client?.end().catch(() => undefined);
    client = null;
  };
  return {
    collector: 'postgres',
    source,
    secrets: [decodeURIComponent(url.password), url.searchParams.get('password') ?? ''],
    scrape: async (signal) => {
      try {
        client ??= await open(url, signal, drop);
        const askedAtMs = monotonicMs();
        const { rows } = await client.query<Row>(QUERY);
        const slow = await slowStatements(client);
        const atMs = monotonicMs();
        const row = rows[0] ?? {};
        const seconds = earlier === null ? Number.NaN : (atMs - earlier.atMs) / 1000;
        const reading = readPostgres(row, { earlier: earlier?.row ?? null, first, seconds });
        first ??= row;
        earlier = { row, atMs };
        return [
          { metrics: { ...reading.metrics, ...onlyFinite({ slow_statements: slow }), query_ms: atMs - askedAtMs } },
        ];
      } catch (error) {
        drop();
        throw error;
      }
    },
    close: drop,
  };
}

async function open(url: URL, signal: AbortSignal, onLost: () => void): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url.href,
    application_name: 'showfloor-lab',
    connectionTimeoutMillis: STATEMENT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    query_timeout: STATEMENT_MS_MAX,
  });
  client.on('error', onLost); // the server went away between two scrapes
  try {
    await client.connect();
    signal.throwIfAborted();
    return client;
  } catch (error) {
    void client.end().catch(() => undefined); // half open, it would keep the lab from ending
    throw error;
  }
}

/** Null without the extension, or the right to read it. */
async function slowStatements(client: pg.Client): Promise<number | null> {
  const { rows } = await client.query<{ at: string | null }>(`select to_regclass('pg_stat_statements')::text as at`);
  if (rows[0]?.at === null || rows[0]?.at === undefined) return null;
  try {
    const found = await client.query<{ n: string }>(
      `select count(*) as n from pg_stat_statements where mean_exec_time > ${SLOW_MS}`,
    );
    return Number(found.rows[0]?.n);
  } catch {
    return null; // it is there, but not loaded
  }
}

/** Pure. `earlier` and `first`: answers before; null where there is none. */
export function readPostgres(
  row: Row,
  { earlier, first, seconds }: { readonly earlier: Row | null; readonly first: Row | null; readonly seconds: number },
): Reading {
  const value = (key: string, of: Row | null = row): number => Number(of?.[key] ?? Number.NaN);
  const since = (then: Row | null, key: string): number => value(key) - value(key, then);
  const commits = since(earlier, 'commits');
  const rollbacks = since(earlier, 'rollbacks');
  const hits = since(first, 'hits');
  const blocks = hits + since(first, 'reads');
  return {
    metrics: onlyFinite({
      active: value('active'),
      active_pct: (value('active') / value('max_connections')) * 100,
      connections: value('connections'),
      connections_pct: (value('connections') / value('max_connections')) * 100,
      idle_in_transaction: value('idle_in_transaction'),
      waiting: value('waiting'),
      locks_waiting: value('locks_waiting'),
      longest_transaction_s: value('longest_transaction_s'),
      xact_per_sec: (commits + rollbacks) / seconds,
      rollback_pct: (rollbacks / (commits + rollbacks)) * 100,
      cache_hit_pct: blocks >= BLOCKS_MIN ? (hits / blocks) * 100 : null,
      deadlocks: since(earlier, 'deadlocks'),
      deadlocks_total: value('deadlocks'),
      temp_mb: since(earlier, 'temp_bytes') / MEGABYTE,
      buffers_clean: since(earlier, 'buffers_clean'),
      buffers_alloc: since(earlier, 'buffers_alloc'),
      size_mb: value('size_bytes') / MEGABYTE,
    }),
  };
}
