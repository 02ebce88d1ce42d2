/** The faults of one run, ready to be played: the network they need, the processes they may touch. */
import type { SelfSample } from '../engine/guard.ts';
import type { Plan } from '../engine/plan.ts';
import type { Stage } from '../engine/stage.ts';
import type { PlannedFault } from '../run-folder/manifest.ts';
import type { TargetDescription } from '../target/target.ts';
import { isProcessFault } from './fault.ts';
import { type ConductedFault, conductFaults } from './fault-conductor.ts';
import { FaultNetwork } from './fault-network.ts';
import { createInjection, whyImpossible } from './injection.ts';
import { type ProcessBindings, ProcessControl } from './process-control.ts';

/** The plan's faults, and why some of them will not be made. */
export function plannedFaults(plan: Plan, target: TargetDescription, processes: ProcessBindings): PlannedFault[] {
  const isNamed = (name: string): boolean => Object.hasOwn(processes, name);
  return plan.faults.map((fault) => ({ ...fault, skippedBecause: whyImpossible(fault, target, isNamed) }));
}

/** One run; its owner calls `close()`. */
export class FaultSetup {
  readonly #target: TargetDescription;
  readonly #network: FaultNetwork | null;
  readonly #faults: readonly ConductedFault[];
  readonly #skipped: readonly PlannedFault[];

  /** Starts proxies where a fault of the network needs them. Throws FaultNetworkError. */
  static async open(
    plan: Plan,
    target: TargetDescription,
    processes: ProcessBindings,
    onSelf: (self: SelfSample) => void,
  ): Promise<FaultSetup> {
    const planned = plannedFaults(plan, target, processes);
    const possible = planned.filter(({ skippedBecause }) => skippedBecause === null);
    const planes = new Set(possible.filter(({ fault }) => !isProcessFault(fault)).flatMap(({ on }) => on));
    const network =
      planes.size === 0 ? null : await FaultNetwork.open(target, [...planes], { seed: plan.seed, onSelf });
    const controls = new Map(Object.entries(processes).map(([name, binding]) => [name, new ProcessControl(binding)]));
    const faults = possible.map((scheduled) => ({
      scheduled,
      injection: createInjection(scheduled, { target, network, processes: controls }),
    }));
    return new FaultSetup(
      target,
      network,
      faults,
      planned.filter((fault) => !possible.includes(fault)),
    );
  }

  private constructor(
    target: TargetDescription,
    network: FaultNetwork | null,
    faults: readonly ConductedFault[],
    skipped: readonly PlannedFault[],
  ) {
    this.#target = target;
    this.#network = network;
    this.#faults = faults;
    this.#skipped = skipped;
  }

  /** The target as virtual users reach it: through the proxies, where there are any. */
  get targetForUsers(): TargetDescription {
    return this.#network?.through(this.#target) ?? this.#target;
  }

  async conduct(stage: Stage): Promise<void> {
    for (const { name, skippedBecause } of this.#skipped) {
      stage.event('fault_skipped', 0, { fault: name, reason: skippedBecause ?? '' });
    }
    await conductFaults(this.#faults, stage);
  }

  async close(): Promise<void> {
    await this.#network?.close();
  }
}
