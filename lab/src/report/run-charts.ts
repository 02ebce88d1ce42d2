/** Which charts a run gets, and their points. Tiers of latency never share a line. */
import { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { matchesSeries, type Tags } from '../metrics/series-key.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import type { Chart, ChartLine } from './chart.ts';

type Points = ChartLine['points'];

/** Longer runs are drawn in this many steps; a step's percentile is one of its merged slices. */
const STEPS_MAX = 240;

/** Ways of watching: value of the tag `protocol`, and its name for people. */
const PROTOCOLS = [
  ['flv', 'FLV'],
  ['hls', 'HLS'],
  ['llhls', 'LL-HLS'],
] as const;

/** Each tier has charts of its own. */
const TIERS = [
  [
    'latency_capture_ms',
    'Glass-to-glass delay (tier A)',
    'Age of the picture on screen, by the capture time inside it.',
  ],
  [
    'latency_ingest_ms',
    'Ingest-to-glass delay',
    'Age of the picture since the media server received it. Another tier: never compare it with tier A.',
  ],
  ['latency_pdt_ms', 'Delay by PROGRAM-DATE-TIME (tier C)', 'By the clock of the packager: another tier again.'],
  [
    'latency_edge_ms',
    'Behind the live edge (tier D)',
    'Newest media in the list minus the picture: blind to what came before the list.',
  ],
] as const;

/** All charts that this run has data for. */
export function runCharts(run: RunData): Chart[] {
  const steps = stepsOf(run);
  const shaded = taintedStretches(run);
  const marks = faultMarks(run);
  const endSeconds = Math.max(run.manifest.durationMs, run.manifest.end?.elapsedMs ?? 0) / 1000;
  const chart = (one: Omit<Chart, 'shaded' | 'marks' | 'endSeconds'>): Chart => ({
    ...one,
    lines: one.lines.filter(({ points }) => points.some(([, value]) => value !== null)),
    shaded,
    marks,
    endSeconds,
  });
  const percentiles = (metric: string, list: readonly number[], where: Tags = {}): ChartLine[] =>
    list.map((at) => ({ name: `p${at}`, points: trendPoints(steps, metric, at, where) }));
  const limited = (metric: string, protocol?: string): Pick<Chart, 'limit'> => {
    const limit = limitOf(run, metric, protocol);
    return limit === undefined ? {} : { limit };
  };
  const ofTier = (protocol: string, name: string): Chart[] =>
    TIERS.map(([metric, title, subtitle]) =>
      chart({
        title: `${title}, ${name}`,
        subtitle,
        unit: 'ms',
        source: `${metric}{protocol=${protocol}} in histograms.jsonl`,
        lines: percentiles(metric, [50, 95], { protocol }),
        ...limited(metric, protocol),
        isDetail: metric !== mainTier(protocol),
      }),
    );
  // The best tier that the run has for this way of watching; the others explain it.
  const mainTier = (protocol: string): string | undefined =>
    TIERS.find(([metric]) => steps.some((step) => hasTrend(step, metric, { protocol })))?.[0];
  return [
    chart({
      title: 'Virtual users',
      subtitle: 'How many were there, by group.',
      unit: 'users',
      source: 'vus_active in series.jsonl',
      lines: Object.keys(run.manifest.groups).map((group) => ({
        name: group,
        points: gaugePoints(steps, group),
        isArea: true,
      })),
    }),
    ...PROTOCOLS.map(([protocol, name]) =>
      chart({
        title: `Time to first picture, ${name}`,
        subtitle: 'Of those who started then.',
        unit: 'ms',
        source: `startup_ms{protocol=${protocol}} in histograms.jsonl`,
        lines: percentiles('startup_ms', [50, 95], { protocol }),
        ...limited('startup_ms', protocol),
      }),
    ),
    chart({
      title: 'Time spent stalled',
      subtitle: 'Stalled time out of watched time, by how they watch.',
      unit: '%',
      source: 'stalled_ms_total ÷ watched_ms_total in series.jsonl',
      limit: 1,
      lines: PROTOCOLS.map(([protocol, name]) => ({
        name,
        points: ratioPoints(steps, 'stalled_ms_total', 'watched_ms_total', { protocol }),
      })),
    }),
    chart({
      title: 'Stalls',
      isDetail: true,
      subtitle: 'How many began, by how they watch.',
      unit: 'per s',
      source: 'stalls_total in series.jsonl',
      lines: PROTOCOLS.map(([protocol, name]) => ({
        name,
        points: ratePoints(steps, 'stalls_total', 1, { protocol }),
      })),
    }),
    ...PROTOCOLS.flatMap(([protocol, name]) => ofTier(protocol, name)),
    chart({
      title: 'Fetching segments and parts',
      isDetail: true,
      subtitle: 'From the request to the last byte, p95. What waits by design is not in it.',
      unit: 'ms',
      source: 'hls_ttlb_ms in histograms.jsonl',
      lines: ['segment', 'part', 'list'].map((type) => ({
        name: type,
        points: trendPoints(steps, 'hls_ttlb_ms', 95, { type }),
      })),
    }),
    chart({
      title: 'Video received',
      subtitle: 'All viewers together.',
      unit: 'Mbit/s',
      source: 'video_bytes_total in series.jsonl',
      lines: [{ name: 'received', points: ratePoints(steps, 'video_bytes_total', 8 / 1e6), isArea: true }],
    }),
    chart({
      title: 'Chat delivery',
      subtitle: 'From sending until another member has it.',
      unit: 'ms',
      source: 'chat_fanout_ms in histograms.jsonl',
      lines: percentiles('chat_fanout_ms', [50, 95]),
      ...limited('chat_fanout_ms'),
    }),
    chart({
      title: 'API answers',
      subtitle: 'From the planned moment of the request.',
      unit: 'ms',
      source: 'api_ms in histograms.jsonl',
      lines: [
        { name: 'reads p95', points: trendPoints(steps, 'api_ms', 95, { kind: 'read' }) },
        { name: 'writes p95', points: trendPoints(steps, 'api_ms', 95, { kind: 'write' }) },
      ],
    }),
    chart({
      title: 'The generator itself',
      subtitle: 'If this is high, the lab was too busy to be believed; shaded seconds are tainted.',
      unit: 'ms or %',
      source: '"self" in series.jsonl',
      lines: [
        { name: 'loop delay p99 (ms)', points: run.self.map((self) => [self.second, self.loopDelayP99Ms]) },
        { name: 'CPU (%)', points: run.self.map((self) => [self.second, self.workerCpuPercent]) },
      ],
    }),
  ];
}

/** When faults were made and healed. */
function faultMarks({ events }: RunData): { seconds: number; name: string }[] {
  return events.flatMap(({ name, atMs, detail }) => {
    if (name !== 'fault_injected' && name !== 'fault_healed') return [];
    return [{ seconds: atMs / 1000, name: name === 'fault_injected' ? String(detail.fault) : 'healed' }];
  });
}

type Step = { readonly seconds: number; readonly lengthSeconds: number; readonly slices: RunData['slices'] };

function stepsOf(run: RunData): Step[] {
  const size = Math.max(1, Math.ceil(run.slices.length / STEPS_MAX));
  const steps: Step[] = [];
  for (let from = 0; from < run.slices.length; from += size) {
    const slices = run.slices.slice(from, from + size);
    const seconds = (slices[0]?.atMs ?? 0) / 1000;
    steps.push({ seconds, lengthSeconds: (slices.length * run.manifest.sliceMs) / 1000, slices });
  }
  return steps;
}

function trendPoints(steps: readonly Step[], metric: string, percentile: number, where = {}): Points {
  return steps.map(({ seconds, slices }) => {
    const sum = new LatencyHistogram();
    for (const { data } of slices) {
      for (const [key, text] of Object.entries(data.trends)) {
        if (matchesSeries(key, metric, where)) sum.add(LatencyHistogram.decode(text));
      }
    }
    return [seconds, sum.count === 0 ? null : sum.percentileMs(percentile)];
  });
}

function hasTrend({ slices }: Step, metric: string, where: Tags): boolean {
  return slices.some(({ data }) => Object.keys(data.trends).some((key) => matchesSeries(key, metric, where)));
}

function counterSum({ slices }: Step, metric: string, where: Tags = {}): number | null {
  const values = slices.flatMap(({ data }) =>
    Object.entries(data.counters).flatMap(([key, value]) => (matchesSeries(key, metric, where) ? [value] : [])),
  );
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

function ratePoints(steps: readonly Step[], metric: string, factor: number, where: Tags = {}): Points {
  return steps.map((step) => {
    const sum = counterSum(step, metric, where);
    return [step.seconds, sum === null ? null : (sum * factor) / step.lengthSeconds];
  });
}

function ratioPoints(steps: readonly Step[], top: string, bottom: string, where: Tags): Points {
  return steps.map((step) => {
    const [over, under] = [counterSum(step, top, where), counterSum(step, bottom, where)];
    return [step.seconds, over === null || under === null || under === 0 ? null : (100 * over) / under];
  });
}

function gaugePoints(steps: readonly Step[], group: string): Points {
  return steps.map(({ seconds, slices }) => {
    const gauges = Object.entries(slices.at(-1)?.data.gauges ?? {});
    const levels = gauges.filter(([key]) => matchesSeries(key, 'vus_active', { group }));
    return [seconds, levels.length === 0 ? null : levels.reduce((sum, [, value]) => sum + value, 0)];
  });
}

/** The limit of a metric, for one way of watching where criteria tell them apart. */
function limitOf({ manifest }: RunData, metric: string, protocol?: string): number | undefined {
  const found = manifest.criteria.find(
    ({ measure }) =>
      measure.kind === 'percentile' &&
      measure.metric === metric &&
      (measure.where?.protocol === undefined || measure.where.protocol === protocol),
  );
  return found?.limit;
}

function taintedStretches({ self }: RunData): [number, number][] {
  const stretches: [number, number][] = [];
  for (const { second, breaches } of self) {
    if (breaches.length === 0) continue;
    const last = stretches.at(-1);
    if (last !== undefined && last[1] === second) last[1] = second + 1;
    else stretches.push([second, second + 1]);
  }
  return stretches;
}
