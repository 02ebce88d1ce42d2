/** A Redis by its INFO (https://redis.io/docs/latest/commands/info/), strategy 3.6. */
import { monotonicMs } from '../clock.ts';
import { type Collector, MEGABYTE, onlyFinite, type Reading } from './collector.ts';
import { RespClient } from './resp-client.ts';

/** A hit rate of a few lookups says nothing. */
const LOOKUPS_MIN = 100;

type Info = ReadonlyMap<string, string>;

/** `url`: `redis://[user]:password@host:port`. */
export function redisCollector(source: string, url: URL): Collector {
  const client = new RespClient(url);
  let first: Info | null = null;
  let earlier: Info | null = null;
  return {
    collector: 'redis',
    source,
    secrets: [decodeURIComponent(url.password)],
    scrape: async (signal) => {
      const askedAtMs = monotonicMs();
      const info = parseInfo(await client.command(['INFO', 'everything'], signal));
      const pingMs = monotonicMs() - askedAtMs;
      if (isRestarted(info, first)) {
        first = null;
        earlier = null;
      }
      const reading = readRedis(info, { earlier, first });
      first ??= info;
      earlier = info;
      return [{ metrics: { ...reading.metrics, ping_ms: pingMs } }];
    },
    close: () => client.close(),
  };
}

/** `key:value` lines; sections begin with `#`. */
export function parseInfo(text: string): Info {
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':');
      return colon <= 0 || line.startsWith('#') ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

function isRestarted(info: Info, first: Info | null): boolean {
  return first !== null && info.get('run_id') !== first.get('run_id');
}

/** Pure. `earlier`, `first`: previous answers of the same server process, null where there is none. */
export function readRedis(
  info: Info,
  { earlier, first }: { readonly earlier: Info | null; readonly first: Info | null },
): Reading {
  const value = (key: string): number => Number(info.get(key) ?? Number.NaN);
  const since = (then: Info | null, key: string): number => value(key) - Number(then?.get(key) ?? Number.NaN);
  const hits = since(first, 'keyspace_hits');
  const lookups = hits + since(first, 'keyspace_misses');
  const limit = value('maxmemory');
  return {
    metrics: onlyFinite({
      connected_clients: value('connected_clients'),
      blocked_clients: value('blocked_clients'),
      used_memory_mb: value('used_memory') / MEGABYTE,
      used_memory_pct: limit > 0 ? (value('used_memory') / limit) * 100 : null,
      ops_per_sec: value('instantaneous_ops_per_sec'),
      evicted_keys: since(earlier, 'evicted_keys'),
      expired_keys: since(earlier, 'expired_keys'),
      mem_fragmentation_ratio: value('mem_fragmentation_ratio'),
      hit_pct: lookups >= LOOKUPS_MIN ? (hits / lookups) * 100 : null,
      pubsub_channels: value('pubsub_channels'),
      rejected_connections: since(earlier, 'rejected_connections'),
      keys: countKeys(info),
      command_p99_ms: slowestCommandMs(info),
    }),
  };
}

function countKeys(info: Info): number {
  return [...info]
    .filter(([key]) => /^db\d+$/.test(key))
    .reduce((sum, [, text]) => sum + Number(/keys=(\d+)/.exec(text)?.[1] ?? 0), 0);
}

/** `latency_percentiles_usec_get:p50=0.001,p99=1.003,p99.9=1.003`. Null where it is switched off. */
function slowestCommandMs(info: Info): number | null {
  const times = [...info].flatMap(([key, text]) => {
    const found = key.startsWith('latency_percentiles_usec_') ? /\bp99=([\d.]+)/.exec(text)?.[1] : undefined;
    return found === undefined ? [] : [Number(found) / 1000];
  });
  return times.length === 0 ? null : Math.max(...times);
}
