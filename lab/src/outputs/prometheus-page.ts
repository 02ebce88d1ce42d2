/**
 * Prometheus text of what goes on: the latest figures of every source, the run's own series, what is firing. Names: a
 * collected figure is `lab_<collector>_<metric>{source=…}`, a series of the run `lab_run_<metric>{…}`. Strategy P1-B and
 * G-70: with `monitor` the lab is the exporter of what it collects.
 */
import { type CollectorKind, SAMPLE_METRICS } from '../collectors/metric-names.ts';
import { isCollected, type SampleLine } from '../collectors/sample.ts';
import { METRICS } from '../metrics/metric-catalogue.ts';
import { parseSeriesKey } from '../metrics/series-key.ts';
import type { SliceMerger } from '../metrics/slice.ts';

/** Sources (and parts of them) whose latest line is kept; more are left out, and counted. */
export const SERIES_MAX = 2000;
/** A line older than this is no longer shown: Prometheus then sees a gap too. */
const STALE_MS = 30_000;
const QUANTILES = [0.5, 0.95, 0.99];

type Labels = Readonly<Record<string, string>>;
type Family = { readonly type: string; readonly help: string; readonly rows: string[] };

/** Name of the metric that a collected figure is exported as. */
export function exportedName(collector: string, metric: string): string {
  return `lab_${collector.replaceAll('-', '_')}_${metric}`;
}

/** Every name that the page can hold of collected figures. */
export function exportedSampleNames(): string[] {
  return Object.entries(SAMPLE_METRICS).flatMap(([collector, { metrics }]) =>
    Object.keys(metrics).map((metric) => exportedName(collector, metric)),
  );
}

/** Collects what to show; `text` writes it. */
export class PrometheusPage {
  readonly #lines = new Map<string, SampleLine>();
  readonly #up = new Map<string, { labels: Labels; value: number }>();
  #run: { readonly total: SliceMerger; readonly gauges: Readonly<Record<string, number>> } | null = null;
  #leftOut = 0;

  /** A line of `samples.jsonl`. */
  addSample(line: SampleLine): void {
    const { collector, source } = line;
    this.#up.set(`${collector} ${source}`, { labels: { collector, source }, value: isCollected(line) ? 1 : 0 });
    const key = `${collector} ${source} ${JSON.stringify(partOf(line))}`;
    if (!this.#lines.has(key) && this.#lines.size >= SERIES_MAX) {
      this.#leftOut += 1;
      return;
    }
    if (isCollected(line)) this.#lines.set(key, line);
  }

  /** Where the run stands; totals since its start. */
  setRun(total: SliceMerger, gauges: Readonly<Record<string, number>>): void {
    this.#run = { total, gauges };
  }

  /** `firing`: ids of rules with their sources. */
  text(nowWallMs: number, firing: readonly { readonly rule: string; readonly source: string }[] = []): string {
    const families = new Map<string, Family>();
    const add = (name: string, type: string, help: string, labels: Labels, value: number): void => {
      const base = type === 'summary' ? name.replace(/_count$/, '') : name;
      const family = families.get(base) ?? { type, help, rows: [] };
      families.set(base, family);
      family.rows.push(`${name}${labelText(labels)} ${value}`);
    };
    this.#addSamples(add, nowWallMs);
    this.#addRun(add);
    for (const { rule, source } of firing) {
      add('lab_alert_firing', 'gauge', 'alerts of the lab that fire now', { rule, source }, 1);
    }
    add('lab_exported_series_left_out_total', 'counter', 'lines not shown: too many sources', {}, this.#leftOut);
    return [...families]
      .map(([name, { type, help, rows }]) =>
        [
          `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', ' ')}`,
          `# TYPE ${name} ${type}`,
          ...rows,
        ].join('\n'),
      )
      .concat('')
      .join('\n');
  }

  #addSamples(add: AddRow, nowWallMs: number): void {
    for (const { labels, value } of this.#up.values()) {
      add('lab_collector_up', 'gauge', '1 when the latest scrape brought figures', labels, value);
    }
    for (const line of this.#lines.values()) {
      if (!isCollected(line) || nowWallMs - line.atWallMs > STALE_MS) continue;
      for (const [metric, value] of Object.entries(line.metrics)) {
        const help = meaningOf(line.collector, metric);
        add(exportedName(line.collector, metric), 'gauge', help, { source: line.source, ...partOf(line) }, value);
      }
    }
  }

  #addRun(add: AddRow): void {
    const { total, gauges } = this.#run ?? {};
    for (const [key, value] of total?.counters ?? []) {
      const { name, help, labels } = runSeries(key);
      add(name, 'counter', help, labels, value);
    }
    for (const [key, value] of Object.entries(gauges ?? {})) {
      const { name, help, labels } = runSeries(key);
      add(name, 'gauge', help, labels, value);
    }
    for (const [key, histogram] of total?.trends ?? []) {
      const { name, help, labels } = runSeries(key);
      for (const quantile of QUANTILES) {
        const value = histogram.percentileMs(quantile * 100);
        add(name, 'summary', help, { ...labels, quantile: String(quantile) }, value);
      }
      add(`${name}_count`, 'summary', help, labels, histogram.count);
    }
  }
}

type AddRow = (name: string, type: string, help: string, labels: Labels, value: number) => void;

function runSeries(key: string): { readonly name: string; readonly help: string; readonly labels: Labels } {
  const { metric, tags } = parseSeriesKey(key);
  return { name: `lab_run_${metric}`, help: METRICS[metric]?.meaning ?? metric, labels: tags };
}

/** What tells the parts of a source: not its pid, which would make a new series at every restart. */
function partOf({ labels = {} }: SampleLine): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name === 'stream' || name === 'name'));
}

function meaningOf(collector: string, metric: string): string {
  const { metrics } = SAMPLE_METRICS[collector as CollectorKind] ?? { metrics: {} };
  return (metrics as Readonly<Record<string, { readonly meaning: string }>>)[metric]?.meaning ?? metric;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) =>
      `${name.replace(/[^a-zA-Z0-9_]/g, '_')}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
