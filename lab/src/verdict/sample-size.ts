/**
 * How many samples a limit demands before it can be shown to hold, and when a few are enough to show that it does not.
 * Pure. qoe 3.12: no failure in n tries only shows a rate below 3/n with 95 % confidence.
 */
import type { LatencyHistogram } from '../metrics/latency-histogram.ts';
import type { Criterion } from './criterion.ts';

/** A percentile needs this many samples beyond it. */
const SAMPLES_BEYOND = 5;
const RULE_OF_THREE = 3;
/** A limit is broken beyond doubt when luck alone would do that in fewer than one run of twenty. */
const LUCK_MAX = 0.05;
/** Limits are decimal fractions: 100 - 99.9 is not 0.1. */
const TINY = 1e-9;

/** Fewer than this show nothing: the criterion's own demand, and that of its limit. */
export function samplesNeeded(criterion: Criterion): number {
  return Math.max(criterion.samplesMin, samplesForLimit(criterion));
}

function samplesForLimit({ measure, op, limit }: Criterion): number {
  if (measure.kind === 'percentile' && measure.percentile < 100) {
    return Math.ceil(SAMPLES_BEYOND / (1 - measure.percentile / 100) - TINY);
  }
  const rate = measure.kind === 'ratio' && isOfEvents(measure.denominator) ? failureRateMax(op, limit) : 0;
  return rate > 0 ? Math.ceil(RULE_OF_THREE / rate - TINY) : 0;
}

/** Shares of time are sums of many small things, not of tries. */
function isOfEvents(denominator: string): boolean {
  return !denominator.endsWith('_ms_total');
}

/** Share of tries that may fail, 0 to 1. */
function failureRateMax(op: Criterion['op'], limit: number): number {
  return (op.startsWith('<') ? limit : 100 - limit) / 100;
}

/**
 * Whether so few samples break the limit beyond doubt: were the true rate at the limit, this many failures or more would be
 * seen in fewer than 5 % of runs.
 */
export function isBrokenBeyondDoubt(
  { measure, op, limit }: Criterion,
  { value, samples }: { readonly value: number; readonly samples: number },
  histogram: LatencyHistogram | null,
): boolean {
  const tries = Math.round(samples);
  if (tries === 0 || Number.isNaN(value)) return false;
  if (measure.kind === 'ratio' && isOfEvents(measure.denominator)) {
    const share = op.startsWith('<') ? value / 100 : 1 - value / 100;
    return chanceOfSoMany(tries, Math.round(share * tries), failureRateMax(op, limit)) < LUCK_MAX;
  }
  if (measure.kind === 'percentile' && op.startsWith('<') && histogram !== null) {
    return chanceOfSoMany(tries, histogram.countAbove(limit), 1 - measure.percentile / 100) < LUCK_MAX;
  }
  return false;
}

/** Chance of `failures` or more in `tries` independent ones of this rate: upper tail of the binomial distribution. */
export function chanceOfSoMany(tries: number, failures: number, rate: number): number {
  if (failures <= 0) return 1;
  if (rate <= 0) return 0;
  if (rate >= 1) return 1;
  let logTerm = tries * Math.log1p(-rate); // none failed
  let below = 0;
  for (let count = 0; count < failures; count += 1) {
    below += Math.exp(logTerm);
    logTerm += Math.log((tries - count) / (count + 1)) + Math.log(rate) - Math.log1p(-rate);
  }
  return Math.max(0, 1 - below);
}
