/**
 * The plan: every virtual user with the instant it starts and stops, fixed before the clock starts. Pure: the same
 * scenario, sizes and seed give the same plan.
 */
import { assertNever } from '../assert-never.ts';
import { createRandom, type Random } from './random.ts';
import type { ActorKind, ConstantVus, Group, RampingVus, Scenario } from './scenario.ts';

/** One virtual user. Times are milliseconds from the start of the run. */
export type PlannedVu = {
  readonly id: number;
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
  readonly phases: readonly Phase[];
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
  const spans = Object.entries(scenario.groups).flatMap(([name, group]) =>
    planGroup(name, group, { durationMs, timeFactor, sizeFactor, random: createRandom(options.seed, name) }),
  );
  const vus = spans.sort((a, b) => a.startAtMs - b.startAtMs).map((span, id) => ({ ...span, id }));
  const viewers = options.viewers ?? scenario.viewers;
  return {
    seed: options.seed,
    durationMs,
    viewers,
    isShortened: durationMs < scenario.durationMs || viewers < scenario.viewers,
    vus,
    phases: findPhases(vus, durationMs),
    sliceMs: durationMs > SLICE_LONG_RUN_MS ? 5000 : 1000,
  };
}

type Scale = {
  readonly durationMs: number;
  readonly timeFactor: number;
  readonly sizeFactor: number;
  readonly random: Random;
};
type Span = { readonly startAtMs: number; readonly stopAtMs: number };

function planGroup(name: string, group: Group, scale: Scale): Omit<PlannedVu, 'id'>[] {
  return spansOf(group.timing, scale).map((span, indexInGroup) => ({
    group: name,
    actor: group.actor,
    indexInGroup,
    ...span,
  }));
}

function spansOf(timing: ConstantVus | RampingVus, scale: Scale): Span[] {
  switch (timing.executor) {
    case 'constant-vus':
      return constantSpans(timing, scale);
    case 'ramping-vus':
      return rampingSpans(timing, scale);
    default:
      return assertNever(timing);
  }
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

/** Steady: from when everybody is there (and has settled) until the first of them leaves. */
function findPhases(vus: readonly Omit<PlannedVu, 'id'>[], durationMs: number): Phase[] {
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
  fromMs = Math.min(fromMs + Math.min(SETTLE_MS_MAX, durationMs * SETTLE_SHARE), toMs);
  const phases: Phase[] = [
    { name: 'warm-up', fromMs: 0, toMs: Math.ceil(fromMs / 1000) * 1000 },
    { name: 'steady', fromMs: Math.ceil(fromMs / 1000) * 1000, toMs },
    { name: 'drain', fromMs: toMs, toMs: durationMs },
  ];
  return phases.filter((phase) => phase.toMs > phase.fromMs);
}
