/** From words to collectors. */

import type { Collector } from './collector.ts';
import { containerCollector } from './container-collector.ts';
import { dockerCollector } from './docker-stats.ts';
import { healthCollector } from './health-collector.ts';
import { hostCollector } from './host-collector.ts';
import { nginxLogCollector, nginxStatusCollector } from './nginx-collector.ts';
import { postgresCollector } from './postgres-collector.ts';
import { PROC } from './proc-files.ts';
import { processCollector, sharedProcessTable } from './process-collector.ts';
import { prometheusCollector } from './prometheus-collector.ts';
import { redisCollector } from './redis-collector.ts';
import { describeSource, processQuery, type Source, type SourceKind, type TargetSource } from './source.ts';
import { srsCollector } from './srs-collector.ts';
import { srsLogCollector } from './srs-log-collector.ts';

type ProcessTable = ReturnType<typeof sharedProcessTable>;
type Open = (name: string, where: string, table: ProcessTable) => Collector;

const OPEN: Readonly<Record<SourceKind, Open>> = {
  process: (name, where, table) => processCollector(name, processQuery(where), PROC, table),
  container: (name, where) => containerCollector(name, where),
  docker: (name, where) => dockerCollector(name, where.split(',').filter(Boolean)),
  'nginx-log': (name, where) => nginxLogCollector(name, where),
  'nginx-status': (name, where) => nginxStatusCollector(`${name} status`, new URL(where)),
  srs: (name, where) => srsCollector(name, new URL(where)),
  'srs-log': (name, where) => srsLogCollector(`${name} log`, where),
  prometheus: (name, where) => prometheusCollector(name, metricsUrl(where)),
  health: (name, where) => healthCollector(name, new URL(where)),
  redis: (name, where) => redisCollector(name, new URL(where)),
  postgres: (name, where) => postgresCollector(name, new URL(where)),
};

/** Opens nothing yet: the first scrape does. */
export function collectorsOf(sources: readonly Source[]): Collector[] {
  const table = sharedProcessTable();
  return sources.map(({ kind, name, where }) => OPEN[kind](name, where, table));
}

/** The machine and the lab itself: part of every collecting, where there is a /proc. */
export function ownCollectors(): Collector[] {
  if (process.platform !== 'linux') return [];
  return [hostCollector(), processCollector('lab', { pid: process.pid })];
}

const PROBE_MS_MAX = 2000;

/** What of the sources that an adapter guesses is really there. Each is asked once. */
export async function presentSources(
  sources: readonly TargetSource[],
): Promise<{ readonly present: Source[]; readonly absent: Source[] }> {
  const answers = await Promise.all(sources.map(async (source) => ({ source, isThere: await answersOnce(source) })));
  return {
    present: answers.filter(({ isThere }) => isThere).map(({ source }) => source),
    absent: answers.filter(({ isThere }) => !isThere).map(({ source }) => describeSource(source)),
  };
}

async function answersOnce(source: Source): Promise<boolean> {
  const [collector] = collectorsOf([source]);
  try {
    const readings = await collector?.scrape(AbortSignal.timeout(PROBE_MS_MAX));
    return readings !== undefined && readings.length > 0;
  } catch {
    return false; // named among the absent
  } finally {
    await collector?.close?.();
  }
}

function metricsUrl(where: string): URL {
  const url = new URL(where);
  if (url.pathname === '/') url.pathname = '/metrics';
  return url;
}
