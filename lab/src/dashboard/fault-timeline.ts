/** Faults of a run, from what was planned and what the events say became of it. */
import type { LabEvent } from '../clients/actor.ts';
import type { PlannedFault } from '../run-folder/manifest.ts';
import type { FaultRow, FaultStage } from './dashboard-frame.ts';

type Known = { -readonly [key in keyof FaultRow]: FaultRow[key] };

/** What each event makes of a fault. */
const STAGES: Readonly<Record<string, FaultStage>> = {
  fault_injected: 'injected',
  fault_active: 'active',
  fault_healed: 'healed',
  fault_failed: 'failed',
  fault_unverified: 'failed',
  fault_unhealed: 'failed',
  fault_skipped: 'skipped',
};

/** One run. */
export class FaultTimeline {
  readonly #faults = new Map<string, Known>();

  constructor(planned: readonly PlannedFault[]) {
    for (const { name, atMs, durationMs, fault, on, skippedBecause } of planned) {
      this.#faults.set(name, {
        name,
        what: `${fault.kind.replaceAll('-', ' ')} on ${on.join(', ')}`,
        stage: skippedBecause === null ? 'planned' : 'skipped',
        plannedAtMs: atMs,
        plannedMs: durationMs,
        injectedAtMs: null,
        activeAtMs: null,
        healedAtMs: null,
        note: skippedBecause ?? '',
      });
    }
  }

  /** Events of other kinds are ignored. */
  addEvent({ name, atMs, detail }: LabEvent): void {
    const stage = STAGES[name];
    const fault = this.#faults.get(String(detail.fault ?? ''));
    if (stage === undefined || fault === undefined) return;
    // A fault that no probe could see goes on until it is taken back, and stays a failed one.
    if (fault.stage !== 'failed') fault.stage = stage;
    if (name === 'fault_injected') fault.injectedAtMs = atMs;
    if (name === 'fault_active') fault.activeAtMs = atMs;
    if (name === 'fault_healed') fault.healedAtMs = atMs;
    const note = detail.by ?? detail.reason;
    if (note !== undefined) fault.note = String(note);
    if (name === 'fault_unhealed') fault.note = 'the plane did not come back in time';
  }

  get rows(): FaultRow[] {
    return [...this.#faults.values()].map((fault) => ({ ...fault }));
  }
}
