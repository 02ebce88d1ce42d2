/** Who looks at a run while it goes on, and changes nothing: the dashboard. Everything it is told is in the run folder too. */
import type { LabEvent } from '../clients/actor.ts';
import type { SampleLine } from '../collectors/sample.ts';
import type { Manifest } from '../run-folder/manifest.ts';
import type { Progress } from './coordinator.ts';

/** Called on the main thread, which merges what the workers report: each call must be short. */
export type RunObserver = {
  /** Once, before the clock starts. */
  readonly started?: (manifest: Manifest) => void;
  /** Once per second of the run. */
  readonly progressed?: (progress: Progress) => void;
  /** Every line of `events.jsonl`. */
  readonly event?: (event: LabEvent) => void;
  /** Every line of `samples.jsonl`. */
  readonly sampled?: (line: SampleLine) => void;
};

/** One that tells them all, in this order. */
export function observeAll(observers: readonly RunObserver[]): Required<RunObserver> {
  return {
    started: (manifest) => {
      for (const observer of observers) observer.started?.(manifest);
    },
    progressed: (progress) => {
      for (const observer of observers) observer.progressed?.(progress);
    },
    event: (event) => {
      for (const observer of observers) observer.event?.(event);
    },
    sampled: (line) => {
      for (const observer of observers) observer.sampled?.(line);
    },
  };
}
