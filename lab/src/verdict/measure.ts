/** One criterion's figure, from wherever it is measured: slices of the virtual users, collectors, the generator itself. Pure. */
import type { LatencyHistogram } from '../metrics/latency-histogram.ts';
import type { ChangeMeasure, Criterion, RunShare, SampleMeasure } from './criterion.ts';
import { type Evidence, MeasureReader, type SliceMeasure, type TimedSlice } from './evidence.ts';
import type { JudgeInput, SelfPoint } from './judge-input.ts';
import { reducePoints } from './reduce.ts';
import { type SampleEvidence, SampleReader, type Stretch } from './sample-evidence.ts';
import type { Point } from './theil-sen.ts';
import { WINDOW_MS, type WorstWindow, worstWindow } from './worst-window.ts';

/** Evidence with all that the judge and the reader want to know of it. */
export type Measured = Evidence & {
  readonly worst: WorstWindow | null;
  readonly which: string | null;
  /** Why the figure cannot be trusted, in words that name who was silent. */
  readonly doubt: string | null;
  readonly histogram: LatencyHistogram | null;
};

/** Reads the criterion's measure in its phase. */
export function measure(criterion: Criterion, input: JudgeInput): Measured {
  const { measure: wanted } = criterion;
  switch (wanted.kind) {
    case 'sample':
      return ofSamples({ ...criterion, measure: wanted }, input);
    case 'sample-return':
      return {
        ...new SampleReader(input.samples ?? [], wanted).growth(wanted, criterion.op, input.durationMs),
        ...NO_WINDOW,
      };
    case 'change':
      return ofChange(wanted, input);
    case 'self':
      return ofSelf(wanted, stretchOf(criterion, input), input.self ?? []);
    default:
      return ofSlices({ ...criterion, measure: wanted }, input);
  }
}

const NO_WINDOW = { worst: null, histogram: null } as const;

function ofSlices(criterion: Criterion & { readonly measure: SliceMeasure }, input: JudgeInput): Measured {
  const slices = slicesDuring(criterion.during, input);
  const reader = new MeasureReader(criterion.measure, input.sliceMs);
  return {
    ...reader.read(slices),
    worst: worstWindow(slices, criterion, input.sliceMs),
    which: null,
    doubt: null,
    histogram: reader.histogram(slices),
  };
}

function ofChange({ of, before, after }: ChangeMeasure, { slices, sliceMs, durationMs }: JudgeInput): Measured {
  const read = ({ from, to }: RunShare): Evidence =>
    new MeasureReader(of, sliceMs).read(
      slices.filter(({ atMs }) => atMs >= from * durationMs && atMs + sliceMs <= to * durationMs),
    );
  const [first, second] = [read(before), read(after)];
  return {
    value: second.value - first.value,
    samples: Math.min(first.samples, second.samples),
    isKnown: first.isKnown && second.isKnown,
    which: null,
    doubt: null,
    ...NO_WINDOW,
  };
}

/** The slices a criterion is judged on. */
export function slicesDuring(
  during: Criterion['during'],
  input: Pick<JudgeInput, 'slices' | 'phases' | 'sliceMs'>,
): TimedSlice[] {
  if (during === 'run') return [...input.slices];
  const phase = input.phases.find(({ name }) => name === during);
  if (phase === undefined) return [];
  return input.slices.filter((slice) => slice.atMs >= phase.fromMs && slice.atMs + input.sliceMs <= phase.toMs);
}

function stretchOf({ during }: Criterion, { phases, durationMs }: JudgeInput): Stretch {
  if (during === 'run') return { fromMs: 0, toMs: durationMs };
  return phases.find(({ name }) => name === during) ?? { fromMs: 0, toMs: 0 };
}

function ofSamples(criterion: Criterion & { readonly measure: SampleMeasure }, input: JudgeInput): Measured {
  const { per } = criterion.measure;
  const divisor = per === 'viewer' ? input.viewers : per === 'core' ? input.cores : 1;
  const stretch = stretchOf(criterion, input);
  const reader = new SampleReader(input.samples ?? [], criterion.measure);
  const read = (part: Stretch): SampleEvidence =>
    reader.read(criterion.measure, criterion.op, part, divisor ?? Number.NaN);
  return { ...read(stretch), worst: worstMinute(criterion, stretch, read), histogram: null };
}

const WINDOWED = ['max', 'min', 'mean', 'p95', 'p99'];
const STEPS = 6;
const WINDOWS_MAX = 500;

/** Shown, never decisive: what collectors are asked for are extremes and averages of the whole phase. */
function worstMinute(
  { measure: { reduce }, op }: Criterion & { readonly measure: SampleMeasure },
  { fromMs, toMs }: Stretch,
  read: (part: Stretch) => SampleEvidence,
): WorstWindow | null {
  if (!WINDOWED.includes(reduce) || toMs - fromMs < 2 * WINDOW_MS) return null;
  const stepMs = Math.max(WINDOW_MS / STEPS, (toMs - fromMs) / WINDOWS_MAX);
  let worst: WorstWindow | null = null;
  for (let at = fromMs; at + WINDOW_MS <= toMs; at += stepMs) {
    const { value, samples } = read({ fromMs: at, toMs: at + WINDOW_MS });
    if (Number.isNaN(value) || samples === 0) continue;
    if (worst === null || (op.startsWith('<') ? value > worst.value : value < worst.value)) {
      worst = { fromMs: at, toMs: at + WINDOW_MS, value, samples, isDecisive: false };
    }
  }
  return worst;
}

function ofSelf(
  { metric, reduce }: Extract<Criterion['measure'], { kind: 'self' }>,
  { fromMs, toMs }: Stretch,
  self: readonly SelfPoint[],
): Measured {
  const points = self.flatMap((one): Point[] => {
    const atMs = one.second * 1000;
    const value: unknown = Reflect.get(one, metric);
    return typeof value === 'number' && atMs >= fromMs && atMs < toMs ? [[atMs, value]] : [];
  });
  const value = reducePoints(points, reduce);
  return { value, samples: points.length, isKnown: points.length > 0, which: null, doubt: null, ...NO_WINDOW };
}
