/** Real browsers in a run: each plays the target as a person's would, and what it saw is kept beside the virtual viewers' figures. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { pause } from '../clients/actor.ts';
import { monotonicMs } from '../clock.ts';
import type { Plan } from '../engine/plan.ts';
import type { Scenario } from '../engine/scenario.ts';
import type { Stage } from '../engine/stage.ts';
import { abilitiesOf, type TargetDescription } from '../target/target.ts';
import type { VideoAbility } from '../verdict/criterion.ts';
import { launchSentinelBrowser } from './browser.ts';
import {
  SENTINELS_FILE,
  type SentinelLine,
  type SentinelRequest,
  type SentinelSample,
  type SentinelSession,
} from './sentinel-record.ts';
import { SentinelServer } from './sentinel-server.ts';

const SAMPLE_EVERY_MS = 1000;
/** Players start one after the other: starting is when a browser needs its CPU. */
const BETWEEN_STARTS_MS = 500;

type Seen = Omit<SentinelSample, 'type' | 'atMs' | 'sentinel' | 'protocol'> & {
  readonly watchedMs: number;
  readonly error: string | null;
};
type Watcher = { readonly sentinel: number; readonly protocol: VideoAbility; readonly page: Page };

/** One run; its owner calls `close()`. */
export class Sentinels {
  readonly #plan: Plan;
  readonly #file: WriteStream;
  readonly #browser: Browser | null;
  readonly #server: SentinelServer | null;
  readonly #watchers: readonly Watcher[];

  /** Starts the browser and loads the pages, so that the run measures playing alone. Without a browser they are skipped by name. */
  static async open(
    { count }: SentinelRequest,
    run: {
      readonly plan: Plan;
      readonly scenario: Scenario;
      readonly targetForUsers: TargetDescription;
      readonly folder: string;
    },
  ): Promise<Sentinels> {
    const file = createWriteStream(join(run.folder, SENTINELS_FILE));
    const ways = waysOf(run.scenario, run.targetForUsers);
    let browser: Browser | null = null;
    let server: SentinelServer | null = null;
    try {
      if (ways.length === 0) throw new Error('nobody watches in this run');
      browser = await launchSentinelBrowser();
      server = await SentinelServer.open();
      const watchers: Watcher[] = [];
      for (let sentinel = 0; sentinel < count; sentinel += 1) {
        const protocol = ways[sentinel % ways.length] ?? 'flv';
        const page = await browser.newPage();
        const { flvUrl, hls } = run.targetForUsers;
        await page.goto(await server.pageUrl(protocol, (protocol === 'flv' ? flvUrl : hls?.url) ?? ''));
        watchers.push({ sentinel, protocol, page });
      }
      return new Sentinels(run.plan, file, browser, server, watchers);
    } catch (error) {
      await Promise.all([browser?.close(), server?.close()]);
      const reason = error instanceof Error ? error.message : String(error);
      write(file, { type: 'skipped', wanted: count, reason });
      return new Sentinels(run.plan, file, null, null, []);
    }
  }

  private constructor(
    plan: Plan,
    file: WriteStream,
    browser: Browser | null,
    server: SentinelServer | null,
    watchers: readonly Watcher[],
  ) {
    this.#plan = plan;
    this.#file = file;
    this.#browser = browser;
    this.#server = server;
    this.#watchers = watchers;
  }

  /** They come when everybody is there, and stay while that is so. */
  async conduct(stage: Stage): Promise<void> {
    const { durationMs, phases } = this.#plan;
    const { fromMs, toMs } = phases.find(({ name }) => name === 'steady') ?? { fromMs: 0, toMs: durationMs };
    const playing = this.#watchers.map((watcher, index) =>
      this.#watch(watcher, fromMs + index * BETWEEN_STARTS_MS, toMs, stage),
    );
    await Promise.all(playing);
  }

  async close(): Promise<void> {
    await this.#browser?.close().catch(() => {}); // it may have died; its lines say what it saw
    await this.#server?.close();
    await new Promise<void>((done) => this.#file.end(() => done()));
  }

  async #watch({ sentinel, protocol, page }: Watcher, fromMs: number, toMs: number, stage: Stage): Promise<void> {
    const atMs = (): number => Math.round(monotonicMs() - stage.startAtMs);
    if (!(await pause(fromMs - atMs(), stage.signal))) return;
    const latencies: number[] = [];
    let last: Seen | null = null;
    let failure: string | null = null;
    try {
      await page.evaluate('window.sentinelPlay()');
      while (atMs() < toMs && (await pause(SAMPLE_EVERY_MS, stage.signal))) {
        const seen: Seen = (await page.evaluate('window.sentinelSample()')) as Seen;
        const { watchedMs: _watched, error: _error, ...figures } = seen;
        last = seen;
        if (seen.latencyMs !== null && seen.state === 'playing') latencies.push(seen.latencyMs);
        write(this.#file, { type: 'sample', atMs: atMs(), sentinel, protocol, ...figures });
      }
    } catch (error) {
      failure = error instanceof Error ? (error.message.split('\n')[0] ?? null) : String(error);
    }
    const session = sessionOf(last, latencies, failure);
    write(this.#file, { type: 'session', atMs: atMs(), sentinel, protocol, ...session });
    stage.event('sentinel_left', atMs(), {
      sentinel,
      protocol,
      ...(session.startupMs === null ? {} : { startup_ms: Math.round(session.startupMs) }),
      stalled_ms: Math.round(session.stalledMs),
      ...(session.latencyP50Ms === null ? {} : { latency_ms: Math.round(session.latencyP50Ms) }),
      ...(session.error === null ? {} : { error: session.error }),
    });
  }
}

/** One kind of player after the other, in the ways in which virtual viewers of this run watch. */
function waysOf({ groups }: Scenario, target: TargetDescription): VideoAbility[] {
  const watched = Object.values(groups).flatMap((group): VideoAbility[] => {
    if (group.actor === 'flv-viewer') return ['flv'];
    if (group.actor !== 'hls-viewer') return [];
    return [group.options.mode === 'low-latency' ? 'llhls' : 'hls'];
  });
  return abilitiesOf(target).filter((ability) => watched.includes(ability));
}

function sessionOf(
  last: Seen | null,
  latencies: readonly number[],
  failure: string | null,
): Omit<SentinelSession, 'type' | 'atMs' | 'sentinel' | 'protocol'> {
  return {
    startupMs: last?.startupMs ?? null,
    watchedMs: last?.watchedMs ?? 0,
    stalledMs: last?.stalledMs ?? 0,
    stalls: last?.stalls ?? 0,
    frames: last?.frames ?? 0,
    droppedFrames: last?.droppedFrames ?? 0,
    latencyP50Ms: latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length / 2)] ?? null,
    tier: last?.tier ?? null,
    error: failure ?? last?.error ?? null,
  };
}

function write(file: WriteStream, line: SentinelLine): void {
  file.write(`${JSON.stringify(line)}\n`);
}
