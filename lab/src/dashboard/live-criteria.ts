/** The criteria while the run goes on: what each would come to if it ended now, and where its last minute is heading. */
import type { SampleLine } from '../collectors/sample.ts';
import { formatClock } from '../engine/duration.ts';
import type { Phase } from '../engine/plan.ts';
import { NEGATIVE_METRIC } from '../metrics/recorder.ts';
import { formatLimit, formatValue } from '../report/sentences.ts';
import type { Criterion, Plane, VideoAbility } from '../verdict/criterion.ts';
import type { Evidence } from '../verdict/evidence.ts';
import { holds, marginPercent } from '../verdict/judge.ts';
import { samplesNeeded } from '../verdict/sample-size.ts';
import type { CriterionRow, LiveOutcome } from './dashboard-frame.ts';
import { createLiveMeasure, type Divisors, type LiveMeasure } from './live-measure.ts';
import { counterSum, type LiveSecond } from './live-second.ts';
import { type Heading, MarginTrend } from './margin-trend.ts';
import { RollingMeasure } from './rolling-measure.ts';

/** What decides which criteria can be judged at all. */
export type CriteriaSetup = {
  readonly criteria: readonly Criterion[];
  readonly planes: readonly Plane[];
  readonly abilities: readonly VideoAbility[];
  readonly phases: readonly Phase[];
  readonly sliceMs: number;
  readonly divisors: Divisors;
  /** Whether the clocks of generator and target are known to agree; otherwise only the end of the run tells. */
  readonly isClockKnown: boolean;
};

const RANKS: Readonly<Record<LiveOutcome, number>> = { fail: 0, pass: 2, waiting: 3, 'not applicable': 4 };

/** One run. */
export class LiveCriteria {
  readonly #all: readonly LiveCriterion[];

  constructor(setup: CriteriaSetup) {
    this.#all = setup.criteria.map((criterion) => new LiveCriterion(criterion, setup));
  }

  addSecond(second: LiveSecond): void {
    for (const one of this.#all) one.addSecond(second);
  }

  addLine(line: SampleLine): void {
    for (const one of this.#all) one.addLine(line);
  }

  /** What fails first, then what is closing in, then the rest in the order of the scenario. */
  rows(): CriterionRow[] {
    const rank = ({ outcome, direction, isMandatory }: CriterionRow): number =>
      RANKS[outcome] - (outcome === 'pass' && direction === 'closing' ? 1 : 0) + (isMandatory ? 0 : 0.5);
    return this.#all.map((one) => one.row()).toSorted((a, b) => rank(a) - rank(b));
  }
}

class LiveCriterion {
  readonly #criterion: Criterion;
  readonly #phase: Phase | null;
  readonly #sliceMs: number;
  readonly #absence: string | null;
  readonly #needsCollector: string | null;
  readonly #needsClock: boolean;
  readonly #soFar: LiveMeasure | null;
  readonly #rolling: RollingMeasure | null;
  readonly #trend = new MarginTrend();
  #isCollectorSeen = false;
  #negatives = 0;
  #nowMs = 0;

  constructor(criterion: Criterion, setup: CriteriaSetup) {
    const { planes, abilities, phases, sliceMs, divisors, isClockKnown } = setup;
    const { measure, op, during, plane, needs } = criterion;
    const create = (): LiveMeasure | null => createLiveMeasure(measure, op, divisors);
    this.#criterion = criterion;
    this.#sliceMs = sliceMs;
    this.#phase = during === 'run' ? null : (phases.find(({ name }) => name === during) ?? NO_PHASE);
    const hasPlane = planes.includes(plane) && (needs === undefined || abilities.includes(needs));
    this.#absence = hasPlane ? null : 'the target cannot do this';
    this.#needsCollector = criterion.needsCollector ?? null;
    this.#needsClock = criterion.needsClock === true && !isClockKnown;
    this.#soFar = hasPlane ? create() : null;
    this.#rolling = this.#soFar === null ? null : new RollingMeasure(() => create() ?? (this.#soFar as LiveMeasure));
  }

  addSecond(second: LiveSecond): void {
    this.#nowMs = second.atMs;
    if (this.#soFar === null || this.#rolling === null) return;
    if (this.#isJudgedAt(second.atMs)) this.#soFar.addSecond(second);
    this.#rolling.addSecond(second);
    this.#countNegatives(second);
    if (!this.#trend.isDue(second.atMs)) return;
    const { value } = this.#rolling.recent;
    if (!Number.isNaN(value)) this.#trend.add(second.atMs, marginPercent(value, this.#criterion));
  }

  addLine(line: SampleLine): void {
    if (line.collector.split(' ', 1)[0] === this.#needsCollector) this.#isCollectorSeen = true;
    const { fromMs, toMs } = this.#phase ?? WHOLE_RUN;
    if (line.atMs >= fromMs && line.atMs <= toMs) this.#soFar?.addLine(line);
    this.#rolling?.addLine(line);
  }

  row(): CriterionRow {
    const { id, title, isMandatory, unit } = this.#criterion;
    const soFar = this.#soFar?.read() ?? null;
    const recent = this.#rolling?.recent ?? null;
    const { outcome, note } = this.#judge(soFar);
    const shown = soFar?.isKnown === true && !Number.isNaN(soFar.value) ? soFar.value : null;
    const heading = outcome === 'pass' || outcome === 'fail' ? this.#trend.heading() : NO_HEADING;
    return {
      id,
      title,
      isMandatory,
      outcome,
      value: shown === null ? '–' : formatValue(shown, unit),
      limit: formatLimit({ criterion: this.#criterion }),
      marginPercent: shown === null ? null : rounded(marginPercent(shown, this.#criterion)),
      recent: recent === null || Number.isNaN(recent.value) ? '–' : formatValue(recent.value, unit),
      direction: heading.direction,
      note: note === '' ? headingNote(heading) : note,
    };
  }

  #judge(soFar: Evidence | null): { outcome: LiveOutcome; note: string } {
    const criterion = this.#criterion;
    if (this.#absence !== null) return { outcome: 'not applicable', note: this.#absence };
    if (this.#needsCollector !== null && !this.#isCollectorSeen) {
      return { outcome: 'not applicable', note: `no ${this.#needsCollector} is watched` };
    }
    if (soFar === null) return { outcome: 'waiting', note: 'only the whole run can show this' };
    if (this.#phase !== null && this.#nowMs <= this.#phase.fromMs) {
      return { outcome: 'waiting', note: `judged from ${formatClock(this.#phase.fromMs)} on` };
    }
    if (!soFar.isKnown || soFar.samples === 0 || Number.isNaN(soFar.value)) {
      return { outcome: 'waiting', note: 'nothing measured yet' };
    }
    if (this.#needsClock) return { outcome: 'waiting', note: 'the clocks are compared at the end' };
    if (this.#negatives > 0) return { outcome: 'waiting', note: 'a clock is ahead: some delays were below zero' };
    const needed = criterion.isIndicative === true ? criterion.samplesMin : samplesNeeded(criterion);
    if (soFar.samples < needed) {
      return { outcome: 'waiting', note: `${Math.floor(soFar.samples)} of ${needed} samples so far` };
    }
    return { outcome: holds(soFar.value, criterion) ? 'pass' : 'fail', note: '' };
  }

  /** The same slices as the verdict: those that lie in the phase whole. */
  #isJudgedAt(atMs: number): boolean {
    if (this.#phase === null) return true;
    const sliceAtMs = Math.floor((atMs - 1) / this.#sliceMs) * this.#sliceMs;
    return sliceAtMs >= this.#phase.fromMs && sliceAtMs + this.#sliceMs <= this.#phase.toMs;
  }

  #countNegatives(second: LiveSecond): void {
    const { measure, needsClock } = this.#criterion;
    if (needsClock !== true || (measure.kind !== 'percentile' && measure.kind !== 'mean')) return;
    this.#negatives += counterSum(second, NEGATIVE_METRIC, { ...measure.where, metric: measure.metric }) ?? 0;
  }
}

const NO_PHASE: Phase = { name: 'steady', fromMs: Number.POSITIVE_INFINITY, toMs: Number.NEGATIVE_INFINITY };
const WHOLE_RUN = { fromMs: 0, toMs: Number.POSITIVE_INFINITY } as const;
const NO_HEADING: Heading = { direction: 'unknown', reachesLimitInMs: null };

function headingNote({ direction, reachesLimitInMs }: Heading): string {
  if (direction !== 'closing' || reachesLimitInMs === null) return '';
  return `at this rate over its limit in ${formatClock(reachesLimitInMs)}`;
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}
