/** Faults of a scenario, as data on its timeline, and what becomes of them in a run. */
import { PlanError } from '../engine/arrivals.ts';
import type { Plane } from '../verdict/criterion.ts';
import type { NetworkFault } from './network-fault.ts';

/**
 * Faults of a process that the user names when the run starts (`--process media-server=1234`, `--command …`). Nothing else
 * is ever touched.
 * - `process-pause`: stopped (SIGSTOP), and continued at the end.
 * - `process-kill`: killed (SIGKILL, or the command to stop it). At the end the command to start it; without one it must come
 *   back by itself, and the fault is over when the plane answers again.
 * - `process-restart`: the same with SIGTERM.
 * - `publisher-stop`: the process `publisher` is asked to stop (SIGTERM); the fault is over when it is started again, or
 *   when media flows again.
 */
export type ProcessFault =
  | { readonly kind: 'process-pause' | 'process-kill' | 'process-restart'; readonly process: string }
  | { readonly kind: 'publisher-stop' };

/** Anything that can be made to go wrong. */
export type Fault = NetworkFault | ProcessFault;

/** One fault on the timeline of a scenario. `--time-scale` moves its start and leaves its length: ten seconds stay ten. */
export type ScheduledFault = {
  /** Tag `fault` of the series about it. */
  readonly name: string;
  readonly atMs: number;
  readonly durationMs: number;
  readonly fault: Fault;
  /** Planes between which and their users a network fault is; for the others, where their effect is looked for. */
  readonly on: readonly Plane[];
};

/** The last name of a process that a publisher has. */
export const PUBLISHER = 'publisher';

const PROCESS_KINDS: readonly Fault['kind'][] = ['process-pause', 'process-kill', 'process-restart', 'publisher-stop'];

/** Whether it is a matter of processes; otherwise of the network. */
export function isProcessFault(fault: Fault): fault is ProcessFault {
  return PROCESS_KINDS.includes(fault.kind);
}

/** The name under which the user names the process of this fault. */
export function processOf(fault: ProcessFault): string {
  return fault.kind === 'publisher-stop' ? PUBLISHER : fault.process;
}

/** Moves the faults to the length of this run. Throws {@link PlanError} when one does not fit in, or two overlap. */
export function planFaults(
  faults: readonly ScheduledFault[],
  run: { readonly timeFactor: number; readonly durationMs: number },
): ScheduledFault[] {
  const planned = faults
    .map((fault) => ({ ...fault, atMs: Math.round(fault.atMs * run.timeFactor) }))
    .toSorted((a, b) => a.atMs - b.atMs);
  for (const [index, { name, atMs, durationMs }] of planned.entries()) {
    const next = planned[index + 1]?.atMs ?? run.durationMs;
    if (atMs + durationMs > next) {
      throw new PlanError(
        `the fault ${name} does not end before ${planned[index + 1]?.name ?? 'the run'}: make the run longer`,
      );
    }
    if (planned.some((other, at) => at !== index && other.name === name)) {
      throw new PlanError(`two faults are named ${name}`);
    }
  }
  return planned;
}
