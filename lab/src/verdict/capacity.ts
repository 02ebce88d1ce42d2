/**
 * What a run may say about capacity (qoe 3.9, 3.20): only one of rising load, from another machine, as planned, at full length,
 * and never further than twice what it measured. Everything else is silence. Pure.
 */

import { matchesSeries } from '../metrics/series-key.ts';
import { MeasureReader, type SliceMeasure, type TimedSlice } from './evidence.ts';
import type { Judgement } from './judge.ts';
import type { JudgeInput } from './judge-input.ts';
import { fitLine } from './line-fit.ts';
import { sampleSeries } from './sample-evidence.ts';
import { fitScalability, type LoadPoint } from './universal-scalability.ts';

/** Sentences for people, each with what it rests on; `silentBecause` when there are none to say. */
export type CapacityStatement = { readonly sentences: readonly string[]; readonly silentBecause: string | null };

const LEVELS_MIN = 6;
const LEVELS = 10;
/** Further than this times the measured range nobody knows. */
const RANGE_FACTOR = 2;
const FIT_MIN = 0.8;
const VIEWER_ACTORS = ['flv-viewer', 'hls-viewer'];

/** `stamps` and `isTrusted` belong to the verdict of the same run. */
export function capacityOf(
  input: JudgeInput,
  judgements: readonly Judgement[],
  run: { readonly stamps: readonly string[]; readonly isTrusted: boolean },
): CapacityStatement {
  const silent = (silentBecause: string): CapacityStatement => ({ sentences: [], silentBecause });
  if (!run.isTrusted) return silent('the run was cut short, or its generator cannot be trusted');
  if (run.stamps.length > 0) return silent(`the run is stamped ${run.stamps.join(', ')}`);
  const levels = levelsOf(input);
  if (levels.length < LEVELS_MIN) return silent('its load did not rise through six levels or more');
  const sentences = [
    ...breakingLevels(levels, judgements, input.sliceMs),
    ...headroom(input, judgements, levels),
    ...peak(levels, input.sliceMs),
  ];
  return sentences.length > 0
    ? { sentences, silentBecause: null }
    : silent('nothing rose with the load in a straight line');
}

/** Slices at about the same number of viewers. */
type Level = { readonly from: number; readonly to: number; readonly slices: readonly TimedSlice[] };

/** While it rises and holds: a draining crowd is not the load that its number says. */
function levelsOf({ slices, phases }: JudgeInput): Level[] {
  const drainMs = phases.find(({ name }) => name === 'drain')?.fromMs ?? Number.POSITIVE_INFINITY;
  const counted = slices
    .filter(({ atMs }) => atMs < drainMs)
    .map((slice) => ({ slice, viewers: viewersIn(slice) }))
    .filter(({ viewers }) => viewers > 0);
  const most = counted.reduce((sum, { viewers }) => Math.max(sum, viewers), 0);
  return Array.from({ length: LEVELS }, (_, index) => {
    const [above, upTo] = [(index * most) / LEVELS, ((index + 1) * most) / LEVELS];
    const inside = counted.filter(({ viewers }) => viewers > above && viewers <= upTo);
    const viewers = inside.map((one) => one.viewers);
    return { from: Math.min(...viewers), to: Math.max(...viewers), slices: inside.map(({ slice }) => slice) };
  }).filter((level) => level.slices.length > 0);
}

function viewersIn({ data }: TimedSlice): number {
  return Object.entries(data.gauges).reduce(
    (sum, [key, value]) =>
      sum + (VIEWER_ACTORS.some((actor) => matchesSeries(key, 'vus_active', { actor })) ? value : 0),
    0,
  );
}

/** For each broken criterion: the levels between which it broke, when it held at all levels below and at none above. */
function breakingLevels(levels: readonly Level[], judgements: readonly Judgement[], sliceMs: number): string[] {
  return judgements.flatMap(({ criterion, outcome }) => {
    const { measure, op, limit, title } = criterion;
    if (outcome !== 'fail' || !criterion.isMandatory) return [];
    if (measure.kind !== 'percentile' && measure.kind !== 'ratio' && measure.kind !== 'mean') return [];
    const held = levels.flatMap((level) => {
      const { value } = new MeasureReader(measure satisfies SliceMeasure, sliceMs).read(level.slices);
      if (Number.isNaN(value)) return [];
      const isGood =
        op === '<' ? value < limit : op === '<=' ? value <= limit : op === '>' ? value > limit : value >= limit;
      return [{ level, isGood }];
    });
    const first = held.findIndex(({ isGood }) => !isGood);
    const isClean = first > 0 && held.slice(first).every(({ isGood }) => !isGood);
    const [last, broken] = [held[first - 1]?.level, held[first]?.level];
    if (!isClean || last === undefined || broken === undefined) return [];
    return [`Broke between ${last.to} and ${broken.to} viewers: ${title}.`];
  });
}

type Reach = { readonly viewers: number; readonly title: string; readonly name: string; readonly fit: number };

/** Where the first resource reaches its limit when it goes on in a straight line. */
function headroom(input: JudgeInput, judgements: readonly Judgement[], levels: readonly Level[]): string[] {
  const most = levels.at(-1)?.to ?? 0;
  const risen = levels.flatMap(({ slices }) => slices);
  const viewersAt = new Map(risen.map((slice) => [Math.floor(slice.atMs / input.sliceMs), viewersIn(slice)]));
  const reaches = judgements.flatMap(({ criterion, outcome }): Reach[] => {
    const { measure, op, limit, title } = criterion;
    if (outcome !== 'pass' || measure.kind !== 'sample' || measure.reduce !== 'max' || !op.startsWith('<')) return [];
    if (measure.per === 'viewer' || limit <= 0) return [];
    const divisor = measure.per === 'core' ? (input.cores ?? Number.NaN) : 1;
    return sampleSeries(input.samples ?? [], measure).flatMap(({ name, points }): Reach[] => {
      const line = fitLine(
        points.flatMap(([atMs, value]): [number, number][] => {
          const viewers = viewersAt.get(Math.floor(atMs / input.sliceMs));
          return viewers === undefined ? [] : [[viewers, value / divisor]];
        }),
      );
      if (line === null || line.levels < LEVELS_MIN || line.fit < FIT_MIN || line.slope <= 0) return [];
      return [{ viewers: (limit - line.start) / line.slope, title, name, fit: line.fit }];
    });
  });
  const first = reaches.toSorted((a, b) => a.viewers - b.viewers)[0];
  if (first === undefined) return [];
  const rests = `${first.title} (${first.name}) in a straight line, R² ${first.fit.toFixed(2)}`;
  return first.viewers > RANGE_FACTOR * most
    ? [
        `No collected resource reaches its limit before ${RANGE_FACTOR * most} viewers, further than this run can tell: ${rests}.`,
      ]
    : [`Would fail at about ${roundLoad(first.viewers)} viewers: ${rests}.`];
}

/** Where delivery would turn down, by the Universal Scalability Law. */
function peak(levels: readonly Level[], sliceMs: number): string[] {
  const points = levels.map(({ slices }): LoadPoint => {
    const viewers = slices.reduce((sum, slice) => sum + viewersIn(slice), 0) / slices.length;
    const bytes = new MeasureReader({ kind: 'rate', metric: 'video_bytes_total' }, sliceMs).read(slices).value;
    return { load: viewers, throughput: bytes };
  });
  const fit = fitScalability(points);
  const most = levels.at(-1)?.to ?? 0;
  if (fit?.peakLoad == null || fit.peakLoad > RANGE_FACTOR * most) return [];
  return [
    `Delivery would stop growing at about ${roundLoad(fit.peakLoad)} viewers (Universal Scalability Law through ${points.length} levels, at most ${fit.residualPercentMax.toFixed(0)} % off).`,
  ];
}

/** Two figures are all that an estimate has. */
function roundLoad(viewers: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, viewers))) - 1);
  return Math.round(viewers / step) * step;
}
