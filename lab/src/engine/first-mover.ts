/** Which resource gave out first as an escalation climbed: what collectors saw, held against the strategy's own thresholds. Pure. */
import type { AlertRule } from '../alerts/alert.ts';
import { isCollected } from '../collectors/sample.ts';
import type { RunData } from '../run-folder/run-reader.ts';

/** A figure as a share of its threshold. */
export type ResourceUse = {
  readonly resource: string;
  readonly metric: string;
  readonly source: string;
  readonly value: number;
  readonly threshold: number;
  /** 1: at its threshold. */
  readonly share: number;
};

/** What moved first. `atViewers`: the smallest size at which it was over its threshold; null: none ever was, this one came nearest. */
export type FirstMover = ResourceUse & { readonly atViewers: number | null };

/** The name under which the collectors know the lab itself. */
const GENERATOR = 'lab';

/** What one step used while everybody was there; a resource of several sources is in it once for each. */
export function resourceUse(
  { samples, self, manifest }: Pick<RunData, 'samples' | 'self' | 'manifest'>,
  rules: readonly AlertRule[],
): ResourceUse[] {
  const steady = manifest.phases.find(({ name }) => name === 'steady') ?? { fromMs: 0, toMs: manifest.durationMs };
  const isSteady = (atMs: number): boolean => atMs >= steady.fromMs && atMs < steady.toMs;
  // The generator has its own line below.
  const collected = samples.filter(isCollected).filter(({ atMs, source }) => isSteady(atMs) && source !== GENERATOR);
  const used = rules
    .filter(({ op, threshold }) => op === '>' && threshold > 0)
    .flatMap(({ collectors, source: named, metric, threshold, title }) => {
      const seen = collected.filter(
        (line) =>
          collectors.includes(line.collector) &&
          metric in line.metrics &&
          (named === undefined || named.test(line.source)),
      );
      return [...Map.groupBy(seen, ({ source }) => source)].map(([source, lines]) =>
        use(title, metric, source, median(lines.map(({ metrics }) => metrics[metric] ?? 0)), threshold),
      );
    });
  const own = self.filter(({ second }) => isSteady(second * 1000)).map(({ workerCpuPercent }) => workerCpuPercent);
  const generator = use(
    'CPU of the generator',
    'workerCpuPercent',
    'lab',
    median(own),
    manifest.guard.workerCpuPercentMax,
  );
  return own.length === 0 ? used : [...used, generator];
}

/** Over all steps, smallest size first. Null when nothing was seen. */
export function firstMover(
  steps: readonly { readonly viewers: number; readonly used: readonly ResourceUse[] }[],
): FirstMover | null {
  const byFill = (a: ResourceUse, b: ResourceUse): number => b.share - a.share;
  const climbed = steps.toSorted((a, b) => a.viewers - b.viewers);
  for (const { viewers, used } of climbed) {
    const over = used.filter(({ share }) => share >= 1).toSorted(byFill)[0];
    if (over !== undefined) return { ...over, atViewers: viewers };
  }
  const nearest = climbed.at(-1)?.used.toSorted(byFill)[0];
  return nearest === undefined ? null : { ...nearest, atViewers: null };
}

function use(resource: string, metric: string, source: string, value: number, threshold: number): ResourceUse {
  return { resource, metric, source, value, threshold, share: value / threshold };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
