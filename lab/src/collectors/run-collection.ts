/**
 * Collecting in a run: what the target's adapter knows, what the user named, the lab's own machine; every line goes into the
 * run folder, and so does every alert that fires or clears.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AlertBoard } from '../alerts/alert-board.ts';
import { monotonicMs } from '../clock.ts';
import type { ActorKind, Scenario } from '../engine/scenario.ts';
import type { Stage } from '../engine/stage.ts';
import type { ProcessBindings } from '../faults/process-control.ts';
import { parseSeriesKey } from '../metrics/series-key.ts';
import type { RunWriter } from '../run-folder/run-writer.ts';
import type { TargetDescription } from '../target/target.ts';
import type { Collector } from './collector.ts';
import { CollectError } from './collector.ts';
import { collectorsOf, ownCollectors, presentSources } from './open-sources.ts';
import { describeSource, type Source } from './source.ts';
import { COLLECT_EVERY_MS, startCollectors } from './start-collectors.ts';
import { ViewerCount } from './viewer-count.ts';

/** What the user wants collected. */
export type CollectRequest = {
  /** Named by the user: kept whether they answer or not. */
  readonly sources?: readonly Source[];
  /** Default {@link COLLECT_EVERY_MS}. */
  readonly everyMs?: number;
};

/** Part of the manifest: what was collected. `absent`: guessed by the adapter, and not there. */
export type CollectionRecord = {
  readonly everyMs: number;
  readonly sources: readonly Source[];
  readonly absent: readonly Source[];
};

/** Servers count who watches by HLS for some seconds after the last request: what is left over shows after that, and one scrape. */
const SETTLE_MS = 15_000;

const VIEWER_ACTORS: readonly ActorKind[] = ['flv-viewer', 'hls-viewer'];

/** One run's collecting. `conduct` goes on until its stage is over, then closes everything. */
export class RunCollection {
  readonly record: CollectionRecord;
  readonly #collectors: readonly Collector[];
  readonly #counts: LabCounts;
  readonly #settleMs: number;

  private constructor(record: CollectionRecord, collectors: readonly Collector[], scenario: Scenario) {
    this.record = record;
    this.#collectors = collectors;
    this.#counts = new LabCounts(scenario);
    this.#settleMs = asksWhatIsLeft(scenario, collectors) ? SETTLE_MS : 0;
  }

  /** Asks once whether the adapter's sources are there. */
  static async open(options: {
    readonly target: TargetDescription;
    readonly scenario: Scenario;
    readonly processes: ProcessBindings;
    readonly request: CollectRequest;
  }): Promise<RunCollection> {
    const { target, scenario, processes, request } = options;
    const { present, absent } = await presentSources(target.sources ?? []);
    const sources = withoutTwins([...(request.sources ?? []), ...present, ...boundProcesses(processes)]);
    const everyMs = request.everyMs ?? COLLECT_EVERY_MS;
    const record = { everyMs, sources: sources.map(describeSource), absent };
    return new RunCollection(record, collectorsOf(sources), scenario);
  }

  /** The gauges of the second that has passed: how many virtual users there are. */
  progressed(gauges: Readonly<Record<string, number>>): void {
    this.#counts.gauges = gauges;
  }

  /** Looks on for a while after a run of full length where a criterion asks what it leaves behind. */
  async conduct(stage: Stage, writer: Pick<RunWriter, 'writeSample'>, durationMs: number): Promise<void> {
    const viewers = new ViewerCount(this.record.everyMs);
    const alerts = new AlertBoard();
    const running = startCollectors({
      collectors: [...this.#collectors, ...ownCollectors(), this.#counts.collector(), viewers.collector()],
      everyMs: this.record.everyMs,
      startAtMs: stage.startAtMs,
      onSample: (line) => {
        viewers.add(line);
        writer.writeSample(line);
        for (const { name, atMs, atWallMs: _, value, ...detail } of alerts.add(line)) {
          stage.event(name, atMs, { ...detail, ...(value === null ? {} : { value }) });
        }
      },
    });
    await aborted(stage.signal);
    const isWhole = monotonicMs() - stage.startAtMs >= durationMs;
    if (isWhole && this.#settleMs > 0) await sleep(this.#settleMs);
    await running.stop();
  }
}

function asksWhatIsLeft({ criteria }: Scenario, collectors: readonly Collector[]): boolean {
  return criteria.some(
    ({ measure }) =>
      measure.kind === 'sample' &&
      measure.reduce === 'left-over' &&
      collectors.some(({ collector }) => measure.collectors?.includes(collector) === true),
  );
}

/** The first of two with the same kind and name: what a user names comes before what an adapter guesses. */
function withoutTwins(sources: readonly Source[]): Source[] {
  const key = ({ kind, name }: Source): string => `${kind} ${name}`;
  return sources.filter((source, index) => sources.findIndex((other) => key(other) === key(source)) === index);
}

/** Processes that faults may touch are watched too; found by their pid, so only until they are replaced. */
function boundProcesses(processes: ProcessBindings): Source[] {
  return Object.entries(processes).flatMap(([name, { pid }]) =>
    pid === undefined ? [] : [{ kind: 'process' as const, name, where: `pid=${pid}` }],
  );
}

/** The lab's own count of its people. */
class LabCounts {
  readonly #viewerGroups: readonly string[];
  gauges: Readonly<Record<string, number>> | null = null;

  constructor({ groups }: Scenario) {
    this.#viewerGroups = Object.keys(groups).filter((name) => VIEWER_ACTORS.includes(groups[name]?.actor ?? 'shopper'));
  }

  collector(): Collector {
    return {
      collector: 'lab',
      source: 'lab',
      scrape: () => {
        const { gauges } = this;
        if (gauges === null) throw new CollectError('no second has passed yet');
        const sum = (metric: string, groups?: readonly string[]): number =>
          Object.entries(gauges).reduce((total, [key, value]) => {
            const { metric: name, tags } = parseSeriesKey(key);
            const isWanted = name === metric && (groups === undefined || groups.includes(tags.group ?? ''));
            return isWanted ? total + value : total;
          }, 0);
        const hasRoom = Object.keys(gauges).some((key) => parseSeriesKey(key).metric === 'room_members');
        const viewers = this.#viewerGroups.length === 0 ? {} : { viewers: sum('vus_active', this.#viewerGroups) };
        return [{ metrics: { ...viewers, ...(hasRoom ? { room_members: sum('room_members') } : {}) } }];
      },
    };
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
