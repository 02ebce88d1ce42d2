/**
 * A measure over the last half to full minute. Two windows overlap by half: the older one is read, and when it is a minute
 * old it is dropped for the younger. So nothing is ever taken out of a sum, and percentiles stay percentiles.
 */
import type { SampleLine } from '../collectors/sample.ts';
import type { Evidence } from '../verdict/evidence.ts';
import type { LiveMeasure } from './live-measure.ts';
import type { LiveSecond } from './live-second.ts';

/** A window lives for twice this. */
export const HALF_WINDOW_MS = 30_000;

/** One measure. */
export class RollingMeasure {
  readonly #create: () => LiveMeasure;
  #older: LiveMeasure;
  #younger: LiveMeasure;
  #turnedAtMs = 0;

  constructor(create: () => LiveMeasure) {
    this.#create = create;
    this.#older = create();
    this.#younger = create();
  }

  addSecond(second: LiveSecond): void {
    this.#turn(second.atMs);
    this.#older.addSecond(second);
    this.#younger.addSecond(second);
  }

  addLine(line: SampleLine): void {
    this.#turn(line.atMs);
    this.#older.addLine(line);
    this.#younger.addLine(line);
  }

  get recent(): Evidence {
    return this.#older.read();
  }

  #turn(atMs: number): void {
    if (atMs - this.#turnedAtMs < HALF_WINDOW_MS) return;
    this.#turnedAtMs = atMs;
    this.#older = this.#younger;
    this.#younger = this.#create();
  }
}
