/**
 * What else belongs to a run beside virtual users and faults: streams that the lab publishes itself, networks of single groups, the
 * watch on the state of the show, and real browsers. Everything it finds goes into the run folder through the stage.
 */
import { watchShow } from '../clients/show-watch.ts';
import { monotonicMs } from '../clock.ts';
import { GroupNetworks } from '../faults/group-networks.ts';
import { type ShowCount, ShowStates } from '../faults/show-states.ts';
import { seriesKey } from '../metrics/series-key.ts';
import type { PublisherFleet } from '../publisher/publisher-fleet.ts';
import type { PublisherReport } from '../publisher/publisher-messages.ts';
import type { SentinelRequest } from '../sentinels/sentinel-record.ts';
import { Sentinels } from '../sentinels/sentinels.ts';
import type { TargetAdapter, TargetDescription } from '../target/target.ts';
import type { SelfSample } from './guard.ts';
import type { Plan } from './plan.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

/** What the caller asks for beyond the scenario. */
export type ExtraOptions = {
  /** Streams of the lab that are on air already; the caller closes it. */
  readonly fleet?: PublisherFleet;
  /** Real browsers in the same run. */
  readonly sentinels?: SentinelRequest;
};

type Setup = {
  readonly plan: Plan;
  readonly scenario: Scenario;
  readonly target: TargetDescription;
  /** As users reach it when their group has no network of its own. */
  readonly targetForUsers: TargetDescription;
  readonly adapter: TargetAdapter;
  readonly folder: string;
  readonly onSelf: (self: SelfSample) => void;
};

/** One run; its owner calls `during()`. */
export class RunExtras {
  readonly #options: ExtraOptions;
  readonly #setup: Setup;
  readonly #networks: GroupNetworks;
  readonly #sentinels: Sentinels | null;
  #states: ShowStates | null = null;

  /** Throws FaultNetworkError. Browsers that cannot be had are skipped, and the run says so. */
  static async open(options: ExtraOptions, setup: Setup): Promise<RunExtras> {
    const { scenario, plan, targetForUsers, onSelf } = setup;
    const networks = await GroupNetworks.open(scenario.groups, targetForUsers, { seed: plan.seed, onSelf });
    const sentinels = options.sentinels === undefined ? null : await Sentinels.open(options.sentinels, setup);
    return new RunExtras(options, setup, networks, sentinels);
  }

  private constructor(options: ExtraOptions, setup: Setup, networks: GroupNetworks, sentinels: Sentinels | null) {
    this.#options = options;
    this.#setup = setup;
    this.#networks = networks;
    this.#sentinels = sentinels;
  }

  get groupTargets(): Readonly<Record<string, TargetDescription>> {
    return this.#networks.targets;
  }

  /** The stage for faults: what happens to the publisher is heard here too. */
  hear(stage: Stage): Stage {
    const lossOf = (fault: string): boolean =>
      this.#setup.plan.faults.find(({ name }) => name === fault)?.fault.kind === 'publisher-stop';
    return {
      ...stage,
      tellFault: (fault, step, atMs) => {
        if (lossOf(fault) && step === 'injected') this.#states?.lost(fault, this.#wallMs(atMs));
        if (lossOf(fault) && step === 'healed') this.#states?.back(fault, this.#wallMs(atMs));
        stage.tellFault(fault, step, atMs);
      },
    };
  }

  /** Until the stage's signal aborts. */
  async conduct(stage: Stage): Promise<void> {
    await Promise.all([this.#reportPublishers(stage), this.#watchShow(stage), this.#sentinels?.conduct(stage)]);
  }

  /** Closes itself when the work is over, however it ends. */
  async during<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      await this.#close();
    }
  }

  async #close(): Promise<void> {
    await Promise.all([this.#networks.close(), this.#sentinels?.close()]);
  }

  async #reportPublishers(stage: Stage): Promise<void> {
    const { fleet } = this.#options;
    if (fleet === undefined) return;
    const report = (one: PublisherReport): void => {
      if (one.type === 'change') {
        const { stream, state, reason, detail } = one.change;
        const words = reason === '' ? {} : { reason };
        stage.event(`stream_${state}`, Math.round(one.atMs - stage.startAtMs), { stream, ...words, ...detail });
        return;
      }
      stage.record(one.data);
      this.#setup.onSelf(one.self);
    };
    const forget = fleet.listen(report);
    await aborted(stage.signal);
    forget();
  }

  async #watchShow(stage: Stage): Promise<void> {
    const { plan, targetForUsers, adapter } = this.#setup;
    const hasLoss = plan.faults.some(({ fault }) => fault.kind === 'publisher-stop');
    if (!hasLoss || adapter.room === undefined) return;
    const states = new ShowStates((fault, counters) => stage.record(sliceOf(fault, counters)));
    this.#states = states;
    await watchShow(targetForUsers, adapter.room, stage.signal, (change, atMs) => {
      states.said(change, this.#wallMs(atMs));
      const { state, graceEndsAtWallMs } = change;
      const grace = graceEndsAtWallMs === null ? {} : { grace_left_ms: Math.round(graceEndsAtWallMs - Date.now()) };
      stage.event(`show_${state}`, Math.round(atMs - stage.startAtMs), grace);
    });
    states.finish(Date.now());
  }

  #wallMs(monotonic: number): number {
    return Date.now() - (monotonicMs() - monotonic);
  }
}

function sliceOf(fault: string, counters: ShowCount) {
  const series = Object.entries(counters).map(([metric, value]) => [seriesKey(metric, { fault }), value]);
  return { trends: {}, gauges: {}, counters: Object.fromEntries(series) as Record<string, number> };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }));
}
