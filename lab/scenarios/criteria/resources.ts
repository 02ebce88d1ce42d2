/**
 * What collectors saw of the platform's machines (strategy 1.3, 5.1 #2 and #3). Each process or container is judged on its
 * own, the worst decides; without a collector nothing is shown and nothing is green.
 */
import type { Criterion, SampleMeasure } from '../../src/index.ts';

type Rule = Pick<Criterion, 'id' | 'title' | 'meaning' | 'source' | 'limit' | 'unit'> &
  Partial<Pick<Criterion, 'gate' | 'op' | 'isMandatory' | 'during' | 'samplesMin' | 'needsCollector' | 'plane'>> & {
    readonly measure: Omit<SampleMeasure, 'kind'>;
  };

/** What a container or process is told by: each by either. */
export const PARTS = ['process', 'container'] as const;

/** A limit on a collected figure, while everybody is there unless it says otherwise. */
export function collected(rule: Rule): Criterion {
  return {
    plane: 'video',
    isMandatory: true,
    op: '<',
    during: 'steady',
    samplesMin: 3,
    ...rule,
    measure: { kind: 'sample', ...rule.measure },
  };
}

/** CPU, memory and swap of every process or container watched. CPU is a share of what it may use (Readings 16). */
export const RESOURCE_CRITERIA: readonly Criterion[] = [
  collected({
    id: 'cpu-max',
    title: 'CPU of the busiest part',
    meaning: 'Highest sample of any container or process, as a share of the CPU it may use.',
    source: '1.3 (T-20), 5.1 #2 (T-200), Readings 16',
    gate: 'M2',
    measure: { metric: 'cpu_pct', reduce: 'max', collectors: PARTS, per: 'core' },
    op: '<=',
    limit: 75,
    unit: 'percent',
    during: 'run',
  }),
  collected({
    id: 'memory-max',
    title: 'Memory of the fullest part',
    meaning: 'Highest sample of any container or process, as a share of the memory it may use.',
    source: '1.3 (T-21)',
    measure: { metric: 'mem_pct', reduce: 'max', collectors: PARTS },
    limit: 80,
    unit: 'percent',
  }),
  collected({
    id: 'swap',
    title: 'Swap in use',
    meaning: 'Highest sample of any container or process.',
    source: '1.3 (T-22)',
    measure: { metric: 'swap_mb', reduce: 'max', collectors: PARTS },
    op: '<=',
    limit: 0,
    unit: 'megabytes',
    during: 'run',
  }),
  collected({
    id: 'media-memory',
    title: 'Memory of the media server',
    meaning: 'Highest sample of its resident memory.',
    source: '1.3 (T-23)',
    measure: { metric: 'mem_mb', reduce: 'max', collectors: PARTS, source: 'media-server' },
    limit: 2048,
    unit: 'megabytes',
  }),
  collected({
    id: 'media-memory-per-viewer',
    title: 'Memory of the media server per viewer',
    meaning: 'Its highest resident memory, all of it, divided by the viewers of the run.',
    source: '1.3 (T-24)',
    measure: { metric: 'mem_mb', reduce: 'max', collectors: PARTS, source: 'media-server', per: 'viewer' },
    op: '<=',
    limit: 4,
    unit: 'megabytes',
    isMandatory: false,
  }),
  collected({
    id: 'node-heap',
    title: 'Heap of the largest Node process',
    meaning: 'Highest sample of the heap in use.',
    source: '1.3 (T-25)',
    measure: { metric: 'heap_used_mb', reduce: 'max', collectors: ['node'] },
    needsCollector: 'node',
    limit: 512,
    unit: 'megabytes',
  }),
  ...frameDrops('media', 'dropped_packets', 'sum', 'Packets not sent to viewers who were over their bound.'),
  ...frameDrops('srs', 'frame_drops_per_min', 'max', 'Frames dropped in the worst minute, by the log of the server.'),
  collected({
    id: 'viewer-count-delta',
    title: 'Viewer counts that differ, p95',
    meaning: 'How far the counts of the media server, of the realtime server and of the lab are apart.',
    source: '5.2 A4 (T-213)',
    gate: 'A4',
    needsCollector: 'viewer-count',
    measure: { metric: 'delta_pct', reduce: 'p95', collectors: ['viewer-count'] },
    op: '<=',
    limit: 5,
    unit: 'percent',
    isMandatory: false,
  }),
];

/** Redis and PostgreSQL: only where they are there and watched. */
export const STORE_CRITERIA: readonly Criterion[] = [
  collected({
    id: 'redis-memory',
    title: 'Memory of Redis',
    meaning: 'Highest sample of used memory.',
    source: '1.3 (T-26)',
    needsCollector: 'redis',
    measure: { metric: 'used_memory_mb', reduce: 'max', collectors: ['redis'] },
    limit: 200,
    unit: 'megabytes',
    plane: 'realtime',
  }),
  collected({
    id: 'redis-evictions',
    title: 'Keys that Redis evicted',
    meaning: 'Evictions over the whole run.',
    source: '5.2 A1 (T-210)',
    gate: 'A1',
    needsCollector: 'redis',
    measure: { metric: 'evicted_keys', reduce: 'sum', collectors: ['redis'] },
    op: '<=',
    limit: 0,
    unit: 'count',
    isMandatory: false,
    during: 'run',
    plane: 'realtime',
  }),
  collected({
    id: 'postgres-cache-hits',
    title: 'PostgreSQL: reads from its cache',
    meaning: 'Lowest sample of the cache hit ratio.',
    source: '5.2 A2 (T-211)',
    gate: 'A2',
    needsCollector: 'postgres',
    measure: { metric: 'cache_hit_pct', reduce: 'min', collectors: ['postgres'] },
    op: '>',
    limit: 95,
    unit: 'percent',
    isMandatory: false,
    plane: 'commerce',
  }),
  collected({
    id: 'postgres-deadlocks',
    title: 'PostgreSQL: deadlocks',
    meaning: 'Deadlocks over the whole run.',
    source: '5.2 A7 (T-216)',
    gate: 'A7',
    needsCollector: 'postgres',
    measure: { metric: 'deadlocks', reduce: 'sum', collectors: ['postgres'] },
    op: '<=',
    limit: 0,
    unit: 'count',
    isMandatory: false,
    during: 'run',
    plane: 'commerce',
  }),
];

function frameDrops(collector: string, metric: string, reduce: 'sum' | 'max', meaning: string): Criterion[] {
  return [
    collected({
      id: `frame-drops-${collector}`,
      title: 'Frames dropped while everybody was there',
      meaning,
      source: '5.2 A3 (T-212), Readings 43',
      gate: 'A3',
      needsCollector: collector,
      measure: { metric, reduce, collectors: [collector] },
      op: '<=',
      limit: 0,
      unit: 'count',
      isMandatory: false,
    }),
  ];
}
