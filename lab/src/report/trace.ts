/** Where a figure comes from: the metric with its tags, and the file of the run folder that holds it. Pure. */
import { assertNever } from '../assert-never.ts';
import { seriesKey } from '../metrics/series-key.ts';
import type { Measure } from '../verdict/criterion.ts';

/** `files`: of the run folder, relative. `metrics`: as they are written there. */
export type Trace = { readonly metrics: readonly string[]; readonly file: string; readonly how: string };

/** What anybody needs to compute the figure again. */
export function traceOf(measure: Measure): Trace {
  switch (measure.kind) {
    case 'percentile':
      return trace('histograms.jsonl', `p${measure.percentile} of the merged histograms`, key(measure));
    case 'mean':
      return trace('histograms.jsonl', 'mean of the merged histograms', key(measure));
    case 'drift':
      return trace('histograms.jsonl', `Theil–Sen slope of p${measure.percentile} per slice`, key(measure));
    case 'ratio':
      return trace(
        'series.jsonl',
        'sum ÷ sum of the counters',
        seriesKey(measure.numerator, measure.where ?? {}),
        seriesKey(measure.denominator, measure.where ?? {}),
      );
    case 'count':
      return trace('series.jsonl', 'sum of the counter', key(measure), seriesKey(measure.outOf, measure.where ?? {}));
    case 'per-hundred-seconds':
      return trace('series.jsonl', 'sum per 100 s', key(measure), seriesKey(measure.time, measure.where ?? {}));
    case 'rate':
      return trace('series.jsonl', 'sum ÷ seconds', key(measure));
    case 'level':
      return trace('series.jsonl', `${measure.reduce} of the gauge`, key(measure), ...versus(measure));
    case 'self':
      return trace('series.jsonl', `${measure.reduce} of the records in "self"`, measure.metric);
    case 'sample':
      return trace('samples.jsonl', `${measure.reduce} of each source, the worst`, collected(measure));
    case 'sample-return':
      return trace('samples.jsonl', 'median after ÷ median before, of each source', collected(measure));
    case 'change':
      return measure.of.kind === 'percentile'
        ? trace('histograms.jsonl', 'one stretch of the run less another', measure.of.metric)
        : trace(
            'series.jsonl',
            'one stretch of the run less another',
            `${measure.of.numerator} ÷ ${measure.of.denominator}`,
          );
    default:
      return assertNever(measure);
  }
}

/** In words, for a page. */
export function traceSentence(measure: Measure): string {
  const { metrics, file, how } = traceOf(measure);
  return `${how}: ${metrics.join(' and ')} in ${file}`;
}

function trace(file: string, how: string, ...metrics: string[]): Trace {
  return { metrics, file, how };
}

function key({
  metric,
  where,
}: {
  readonly metric: string;
  readonly where?: Readonly<Record<string, string>>;
}): string {
  return seriesKey(metric, where ?? {});
}

function versus({ versus: other }: Extract<Measure, { kind: 'level' }>): string[] {
  return other === undefined ? [] : [key(other)];
}

function collected(measure: Extract<Measure, { kind: 'sample' | 'sample-return' }>): string {
  const { metric, collectors, source } = measure;
  const from = [...(collectors ?? []), ...(source === undefined ? [] : [source])];
  return from.length === 0 ? metric : `${metric} (${from.join(', ')})`;
}
