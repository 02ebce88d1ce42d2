/**
 * The plan: every virtual user with the instant it starts and stops, fixed before the clock starts. Pure: the same
 * scenario, sizes and seed give the same plan.
 */
import { assertNever } from '../assert-never.ts';
import { planFaults, type ScheduledFault } from '../faults/fault.ts';
import { arrivalTimes, meanStayMs, type RateStretch, seatArrivals } from './arrivals.ts';
import { createRandom, type Random } from './random.ts';
import type {
  ActorKind,
  ConstantArrivalRate,
  ConstantVus,
  Group,
  RampingArrivalRate,
  RampingVus,
  Scenario,
} from './scenario.ts';

/** One stay of a virtual user. Times are milliseconds from the start of the run. */
export type PlannedVu = {
  readonly id: number;
  /** The allocated user that plays it; several stays of arriving users share one, one after the other. */
  readonly slot: number;
  readonly group: string;
  readonly actor: ActorKind;
  readonly indexInGroup: number;
  readonly startAtMs: number;
  readonly stopAtMs: number;
};

/** A stretch of the run; criteria are judged on `steady` (joins on the whole run). */
export type Phase = { readonly name: 'warm-up' | 'steady' | 'drain'; readonly fromMs: number; readonly toMs: number };

/** Everything that is decided before the run starts. */
export type Plan = {
  readonly seed: number;
  readonly durationMs: number;
  readonly viewers: number;
  /** True when the run is shorter or smaller than the scenario asks for. */
  readonly isShortened: boolean;
  readonly vus: readonly PlannedVu[];
  /** Arrivals that will find no free virtual user. */
  readonly dropped: readonly { readonly group: string; readonly atMs: number }[];
  readonly phases: readonly Phase[];
  readonly faults: readonly ScheduledFault[];
  /** Length of one stored slice of the results. */
  readonly sliceMs: number;
};

/** How the caller changes size and length. `durationMs` wins over `timeScale`. */
export type PlanOptions = {
  readonly seed: number;
  readonly viewers?: number;
  readonly durationMs?: number;
  readonly timeScale?: number;
};

const SLICE_LONG_RUN_MS = 600_000;

/** Makes the plan. */
export function makePlan(scenario: Scenario, options: PlanOptions): Plan {
  const timeFactor = options.durationMs ? options.durationMs / scenario.durationMs : (options.timeScale ?? 1);
  const sizeFactor = options.viewers ? options.viewers / scenario.viewers : 1;
  const durationMs = Math.round(scenario.durationMs * timeFactor);
  const groups = Object.entries(scenario.groups).map(([name, group]) => ({
    name,
    group,
    ...spansOf(group.timing, { durationMs, timeFactor, sizeFactor, random: createRandom(options.seed, name) }),
  }));
  let slots = 0;
  const stays = groups.flatMap(({ name, group, spans, slotCount }) => {
    const firstSlot = slots;
    slots += slotCount;
    return spans.map((span, indexInGroup) => ({
      group: name,
      actor: group.actor,
      indexInGroup,
      ...span,
      slot: firstSlot + span.slot,
    }));
  });
  const vus = stays.sort((a, b) => a.startAtMs - b.startAtMs).map((stay, id) => ({ ...stay, id }));
  const faults = planFaults(scenario.faults ?? [], { timeFactor, durationMs });
  const viewers = options.viewers ?? scenario.viewers;
  return {
    seed: options.seed,
    durationMs,
    viewers,
    isShortened: durationMs < scenario.durationMs || viewers < scenario.viewers,
    vus,
    dropped: groups
      .flatMap(({ name, droppedAtMs }) => droppedAtMs.map((atMs) => ({ group: name, atMs })))
      .sort((a, b) => a.atMs - b.atMs),
    phases: phasesOf(scenario, vus, { durationMs, timeFactor }),
    faults,
    // The storm after a fault lasts seconds.
    sliceMs: durationMs > SLICE_LONG_RUN_MS && faults.length === 0 ? 5000 : 1000,
  };
}

type Scale = {
  readonly durationMs: number;
  readonly timeFactor: number;
  readonly sizeFactor: number;
  readonly random: Random;
};
type Span = { readonly startAtMs: number; readonly stopAtMs: number };
type Spans = {
  readonly spans: readonly (Span & { readonly slot: number })[];
  readonly slotCount: number;
  readonly droppedAtMs: readonly number[];
};
type ArrivalTiming = ConstantArrivalRate | RampingArrivalRate;

/** The plan's stays of one worker of several: all stays of a slot are with the same one. */
export function vusOfWorker(plan: Plan, index: number, workers: number): PlannedVu[] {
  return plan.vus.filter(({ slot }) => slot % workers === index);
}

function isArrival(timing: Group['timing']): timing is ArrivalTiming {
  return timing.executor === 'constant-arrival-rate' || timing.executor === 'ramping-arrival-rate';
}

function spansOf(timing: Group['timing'], scale: Scale): Spans {
  switch (timing.executor) {
    case 'constant-vus':
      return oneSlotEach(constantSpans(timing, scale));
    case 'ramping-vus':
      return oneSlotEach(rampingSpans(timing, scale));
    case 'constant-arrival-rate':
    case 'ramping-arrival-rate':
      return arrivalSpans(timing, scale);
    default:
      return assertNever(timing);
  }
}

function oneSlotEach(spans: readonly Span[]): Spans {
  return { spans: spans.map((span, slot) => ({ ...span, slot })), slotCount: spans.length, droppedAtMs: [] };
}

/** Rates belong to the crowd: a shorter run shrinks the stages, not how often people come or how long they stay. */
function arrivalSpans(timing: ArrivalTiming, scale: Scale): Spans {
  const slotCount = scaledVus(timing.preAllocatedVus, scale.sizeFactor);
  const times = arrivalTimes(rateStretches(timing, scale), timing.spacing, scale.random);
  const { stays, droppedAtMs } = seatArrivals(
    times.filter((atMs) => atMs < scale.durationMs),
    { slots: slotCount, endMs: scale.durationMs, session: timing.session, random: scale.random },
  );
  return { spans: stays, slotCount, droppedAtMs };
}

function rateStretches(
  timing: ArrivalTiming,
  scale: Pick<Scale, 'durationMs' | 'timeFactor' | 'sizeFactor'>,
): RateStretch[] {
  const perMs = (rate: number): number => (rate * scale.sizeFactor) / timing.timeUnitMs;
  if (timing.executor === 'constant-arrival-rate') {
    return [{ lengthMs: scale.durationMs, fromRate: perMs(timing.rate), toRate: perMs(timing.rate) }];
  }
  let fromRate = perMs(timing.startRate);
  return timing.stages.map(({ durationMs, target }) => {
    const stretch = { lengthMs: durationMs * scale.timeFactor, fromRate, toRate: perMs(target) };
    fromRate = stretch.toRate;
    return stretch;
  });
}

function scaledVus(vus: number, factor: number): number {
  return vus === 0 ? 0 : Math.max(1, Math.round(vus * factor));
}

/** A known number of Poisson arrivals in a window is spread evenly at random over it. */
function constantSpans(timing: ConstantVus, scale: Scale): Span[] {
  const count = scaledVus(timing.vus, scale.sizeFactor);
  const windowMs = Math.min(timing.arriveOverMs * scale.timeFactor, scale.durationMs);
  return Array.from({ length: count }, () => ({
    startAtMs: Math.round(scale.random() * windowMs),
    stopAtMs: scale.durationMs,
  })).sort((a, b) => a.startAtMs - b.startAtMs);
}

/** Walks the stages; a jitter of half a step keeps viewers from arriving in lockstep. */
function rampingSpans(timing: RampingVus, scale: Scale): Span[] {
  const done: Span[] = [];
  const active: number[] = Array.from({ length: scaledVus(timing.startVus, scale.sizeFactor) }, () => 0);
  let stageStartMs = 0;
  for (const stage of timing.stages) {
    const lengthMs = stage.durationMs * scale.timeFactor;
    const before = active.length;
    const target = scaledVus(stage.target, scale.sizeFactor);
    const steps = Math.abs(target - before);
    for (let step = 0; step < steps; step += 1) {
      const atMs = Math.round(stageStartMs + ((step + 0.5 + (scale.random() - 0.5)) / steps) * lengthMs);
      if (target > before) active.push(atMs);
      else done.push({ startAtMs: active.pop() ?? 0, stopAtMs: atMs });
    }
    stageStartMs += lengthMs;
  }
  const endMs = Math.min(Math.round(stageStartMs), scale.durationMs);
  const stayed = active.map((startAtMs) => ({ startAtMs, stopAtMs: endMs }));
  return [...done, ...stayed]
    .filter((span) => span.stopAtMs > span.startAtMs)
    .sort((a, b) => a.startAtMs - b.startAtMs);
}

const SETTLE_MS_MAX = 5000;
const SETTLE_SHARE = 0.1;

/**
 * Users who come once and stay tell when everybody is there. Where all users come and go, it is the longest stretch at
 * the highest rate, from when the first who came have been replaced.
 */
function phasesOf(
  scenario: Scenario,
  vus: readonly PlannedVu[],
  { durationMs, timeFactor }: Pick<Scale, 'durationMs' | 'timeFactor'>,
): Phase[] {
  const groups = Object.entries(scenario.groups);
  const staying = new Set(groups.filter(([, { timing }]) => !isArrival(timing)).map(([name]) => name));
  if (staying.size > 0) {
    return cutPhases(
      steadyByNumber(
        vus.filter(({ group }) => staying.has(group)),
        durationMs,
      ),
      durationMs,
    );
  }
  const steady = groups.flatMap(([, { timing }]) =>
    isArrival(timing) ? [steadyByRate(timing, { durationMs, timeFactor, sizeFactor: 1 })] : [],
  );
  const fromMs = Math.max(0, ...steady.map((one) => one.fromMs));
  return cutPhases(
    { fromMs, toMs: Math.max(fromMs, Math.min(durationMs, ...steady.map((one) => one.toMs))) },
    durationMs,
  );
}

type Stretch = { readonly fromMs: number; readonly toMs: number };

function steadyByRate(timing: ArrivalTiming, scale: Omit<Scale, 'random'>): Stretch {
  let startMs = 0;
  const stretches = rateStretches(timing, scale).map((stretch) => {
    const fromMs = startMs;
    startMs += stretch.lengthMs;
    return { fromMs, toMs: Math.min(startMs, scale.durationMs), ...stretch };
  });
  const levels = stretches.filter(({ fromRate, toRate, fromMs, toMs }) => fromRate === toRate && toMs > fromMs);
  const best = levels.toSorted((a, b) => b.toRate - a.toRate || b.toMs - b.fromMs - (a.toMs - a.fromMs))[0];
  const { fromMs, toMs } = best ?? { fromMs: 0, toMs: scale.durationMs };
  return { fromMs: fromMs + Math.min(meanStayMs(timing.session), (toMs - fromMs) / 2), toMs };
}

/** Steady: from when everybody is there until the first of them leaves. */
function steadyByNumber(vus: readonly Span[], durationMs: number): Stretch {
  const changes = vus
    .flatMap((vu) => [
      { atMs: vu.startAtMs, by: 1 },
      { atMs: vu.stopAtMs, by: -1 },
    ])
    .sort((a, b) => a.atMs - b.atMs || b.by - a.by);
  let count = 0;
  let most = 0;
  let fromMs = 0;
  let toMs = durationMs;
  for (const { atMs, by } of changes) {
    if (by < 0 && count === most && atMs < toMs) toMs = atMs;
    count += by;
    if (count > most) [most, fromMs, toMs] = [count, atMs, durationMs];
  }
  return { fromMs: Math.min(fromMs + Math.min(SETTLE_MS_MAX, durationMs * SETTLE_SHARE), toMs), toMs };
}

function cutPhases({ fromMs, toMs }: Stretch, durationMs: number): Phase[] {
  const steadyFromMs = Math.ceil(fromMs / 1000) * 1000;
  const phases: Phase[] = [
    { name: 'warm-up', fromMs: 0, toMs: steadyFromMs },
    { name: 'steady', fromMs: steadyFromMs, toMs },
    { name: 'drain', fromMs: toMs, toMs: durationMs },
  ];
  return phases.filter((phase) => phase.toMs > phase.fromMs);
}
