/** Networks that some groups of viewers are behind for the whole run, each through proxies of its own. */
import type { SelfSample } from '../engine/guard.ts';
import type { Group } from '../engine/scenario.ts';
import type { TargetDescription } from '../target/target.ts';
import type { Plane } from '../verdict/criterion.ts';
import { FaultNetwork } from './fault-network.ts';

const PLANE: Plane = 'video';

/** One run; its owner calls `close()`. */
export class GroupNetworks {
  /** By group: the target as its users reach it. Groups without a network of their own are not in it. */
  readonly targets: Readonly<Record<string, TargetDescription>>;
  readonly #networks: readonly FaultNetwork[];

  /** Opens the proxies and lets them shape from the first byte. Throws FaultNetworkError. */
  static async open(
    groups: Readonly<Record<string, Group>>,
    target: TargetDescription,
    options: { readonly seed: number; readonly onSelf: (self: SelfSample) => void },
  ): Promise<GroupNetworks> {
    const networks: FaultNetwork[] = [];
    const targets: Record<string, TargetDescription> = {};
    for (const [name, { network: faults }] of Object.entries(groups)) {
      if (faults === undefined || faults.length === 0) continue;
      const network = await FaultNetwork.open(target, [PLANE], options);
      networks.push(network);
      await network.apply(target, [PLANE], faults);
      targets[name] = network.through(target);
    }
    return new GroupNetworks(targets, networks);
  }

  private constructor(targets: Readonly<Record<string, TargetDescription>>, networks: readonly FaultNetwork[]) {
    this.targets = targets;
    this.#networks = networks;
  }

  async close(): Promise<void> {
    await Promise.all(this.#networks.map((network) => network.close()));
  }
}
