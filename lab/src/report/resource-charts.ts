/** What collectors saw, over time: one chart per figure, one line per part of the platform. Pure. */
import type { RunData } from '../run-folder/run-reader.ts';
import { type SampleSeries, sampleSeries } from '../verdict/sample-evidence.ts';
import type { Point } from '../verdict/theil-sen.ts';
import type { Chart } from './chart.ts';

type Wanted = {
  readonly title: string;
  readonly subtitle: string;
  readonly metric: string;
  readonly collectors: readonly string[];
  readonly unit: string;
};

const PARTS = ['process', 'container'];

const WANTED: readonly Wanted[] = [
  { title: 'CPU', subtitle: 'Of each part; 100 is one core.', metric: 'cpu_pct', collectors: PARTS, unit: '%' },
  { title: 'Memory', subtitle: 'Of each part.', metric: 'mem_mb', collectors: PARTS, unit: 'MB' },
  { title: 'Whole machine', subtitle: 'CPU of all cores.', metric: 'cpu_pct', collectors: ['host'], unit: '%' },
  { title: 'Open files', subtitle: 'Of each part.', metric: 'fds', collectors: PARTS, unit: '' },
  {
    title: 'Event loop',
    subtitle: 'Delay of each Node process, p99.',
    metric: 'event_loop_lag_p99_ms',
    collectors: ['node'],
    unit: 'ms',
  },
  { title: 'Heap', subtitle: 'In use by each Node process.', metric: 'heap_used_mb', collectors: ['node'], unit: 'MB' },
  {
    title: 'Sent by the media server',
    subtitle: 'To viewers.',
    metric: 'send_kbps',
    collectors: ['media', 'srs'],
    unit: 'kbit/s',
  },
  {
    title: 'Viewers by count of the platform',
    subtitle: 'What its own counters say.',
    metric: 'viewers',
    collectors: ['media', 'websocket', 'srs', 'lab'],
    unit: '',
  },
  { title: 'API by its own clock', subtitle: 'p95 of each server.', metric: 'p95_ms', collectors: ['api'], unit: 'ms' },
  {
    title: 'nginx request time',
    subtitle: 'p95 of the access log.',
    metric: 'rt_p95_ms',
    collectors: ['nginx'],
    unit: 'ms',
  },
  {
    title: 'PostgreSQL connections',
    subtitle: 'Connections of clients.',
    metric: 'connections',
    collectors: ['postgres'],
    unit: '',
  },
  { title: 'Redis memory', subtitle: 'Used.', metric: 'used_memory_mb', collectors: ['redis'], unit: 'MB' },
];

const POINTS_MAX = 240;
/** As many as there are colours. */
const LINES_MAX = 6;

/** Charts that this run has samples for; more than six parts: those with the highest values. */
export function resourceCharts({ samples, manifest }: RunData): Chart[] {
  const endSeconds = Math.max(manifest.durationMs, manifest.end?.elapsedMs ?? 0) / 1000;
  return WANTED.flatMap((wanted) => {
    const series = sampleSeries(samples, wanted);
    if (series.length === 0) return [];
    const shown = series.toSorted((a, b) => highest(b) - highest(a)).slice(0, LINES_MAX);
    const left = series.length - shown.length;
    return [
      {
        title: wanted.title,
        subtitle: left === 0 ? wanted.subtitle : `${wanted.subtitle} The ${shown.length} highest of ${series.length}.`,
        unit: wanted.unit,
        source: `${wanted.metric} (${wanted.collectors.join(', ')}) in samples.jsonl`,
        endSeconds,
        lines: shown.map(({ name, points }) => ({ name: name.replace(/^\S+ /, ''), points: thinned(points) })),
      },
    ];
  });
}

function highest({ points }: SampleSeries): number {
  return points.reduce((most, [, value]) => Math.max(most, value), 0);
}

/** Of each step the highest value: peaks stay. A silence breaks the line. */
function thinned(points: readonly Point[]): (readonly [number, number | null])[] {
  const during = points.filter(([atMs]) => atMs >= 0);
  const size = Math.max(1, Math.ceil(during.length / POINTS_MAX));
  const gapMs = 4 * size * ((during.at(-1)?.[0] ?? 0) / Math.max(1, during.length - 1));
  const line: (readonly [number, number | null])[] = [];
  let lastMs: number | null = null;
  for (let from = 0; from < during.length; from += size) {
    const step = during.slice(from, from + size);
    const atMs = step[0]?.[0] ?? 0;
    if (lastMs !== null && gapMs > 0 && atMs - lastMs > gapMs) line.push([(lastMs + atMs) / 2000, null]);
    line.push([atMs / 1000, step.reduce((most, [, value]) => Math.max(most, value), Number.NEGATIVE_INFINITY)]);
    lastMs = atMs;
  }
  return line;
}
