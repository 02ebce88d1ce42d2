import type { SampleLine } from '../collectors/sample.ts';
import type { Phase } from '../engine/plan.ts';
import type { Criterion, Plane, VideoAbility } from './criterion.ts';
import type { TimedSlice } from './evidence.ts';

/** What the generator saw of itself in one second. Fields are numbers but for lists of names. */
export type SelfPoint = { readonly second: number };

/** What to judge with. */
export type JudgeInput = {
  readonly criteria: readonly Criterion[];
  readonly planes: readonly Plane[];
  /** In which ways the target can be watched. */
  readonly abilities: readonly VideoAbility[];
  readonly phases: readonly Phase[];
  readonly durationMs: number;
  readonly sliceMs: number;
  /** Error bound between the clocks of generator and target; null: unknown. */
  readonly clockBoundMs: number | null;
  readonly slices: readonly TimedSlice[];
  /** What collectors saw; absent: there were none. */
  readonly samples?: readonly SampleLine[];
  /** What the generator saw of itself. */
  readonly self?: readonly SelfPoint[];
  /** Viewers of the run, and cores of the machine that the lab ran on: divisors of collected figures. */
  readonly viewers?: number;
  readonly cores?: number;
};
