/** A figure of a panel: a measure over the last minute, declared as data. */
import type { SampleLine } from '../collectors/sample.ts';
import type { Tags } from '../metrics/series-key.ts';
import { formatNumber, formatValue } from '../report/sentences.ts';
import type { Measure } from '../verdict/criterion.ts';
import type { Tile } from './dashboard-frame.ts';
import { createLiveMeasure } from './live-measure.ts';
import type { LiveSecond } from './live-second.ts';
import { RollingMeasure } from './rolling-measure.ts';

/** How a value is written: `rate` per second, `bits` per second from a rate of bytes. */
export type FigureUnit = 'ms' | 'percent' | 'rate' | 'bits' | 'count';

/** One figure. Above `warnAbove` it is marked. */
export type FigureSpec = {
  readonly label: string;
  readonly measure: Measure;
  readonly unit: FigureUnit;
  readonly warnAbove?: number;
};

/** A figure that follows the run. */
export class ShownFigure {
  readonly #spec: FigureSpec;
  readonly #rolling: RollingMeasure;
  #isKnown = false;

  constructor(spec: FigureSpec) {
    this.#spec = spec;
    this.#rolling = new RollingMeasure(() => createLiveMeasure(spec.measure, '<=', NO_DIVISORS) ?? NEVER);
  }

  addSecond(second: LiveSecond): void {
    this.#rolling.addSecond(second);
    if (!this.#isKnown && !Number.isNaN(this.value)) this.#isKnown = true;
  }

  /** Whether there ever was a value: what was shown once stays, so that nothing jumps. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** NaN while nothing was measured. */
  get value(): number {
    return this.#rolling.recent.value;
  }

  get text(): string {
    return formatFigure(this.value, this.#spec.unit);
  }

  get tile(): Tile {
    const { label, warnAbove } = this.#spec;
    return { label, value: this.text, tone: warnAbove !== undefined && this.value > warnAbove ? 'warn' : 'calm' };
  }
}

const NO_DIVISORS = { viewers: 1, cores: 1 } as const;
const NEVER = {
  addSecond: (_second: LiveSecond): void => {},
  addLine: (_line: SampleLine): void => {},
  read: () => ({ value: Number.NaN, samples: 0, isKnown: false }),
} as const;

/** `12.3 Mbit/s`, `4.2/s`, `85 ms`; a dash for what is not known. */
export function formatFigure(value: number, unit: FigureUnit): string {
  if (!Number.isFinite(value)) return '–';
  if (unit === 'bits') return formatBits(value * 8);
  if (unit === 'rate') return `${value < 10 ? value.toFixed(1) : formatNumber(value)}/s`;
  return formatValue(value, unit);
}

/** `2.6 Mbit/s`. */
export function formatBits(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e9) return `${(bitsPerSecond / 1e9).toFixed(2)} Gbit/s`;
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
  return `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}

/** `p95` of a trend. */
export function percentile(metric: string, at: number, where?: Tags): Measure {
  return { kind: 'percentile', metric, percentile: at, ...(where === undefined ? {} : { where }) };
}

/** A share in percent. */
export function ratio(numerator: string, denominator: string, where?: Tags): Measure {
  return { kind: 'ratio', numerator, denominator, ...(where === undefined ? {} : { where }) };
}

/** Per second. */
export function rate(metric: string, where?: Tags): Measure {
  return { kind: 'rate', metric, ...(where === undefined ? {} : { where }) };
}
