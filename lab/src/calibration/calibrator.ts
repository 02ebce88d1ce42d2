/** Measures what one worker thread can hold against the null server. */
import { breachedLimits, GUARD_DEFAULTS, type GuardLimits } from '../engine/guard.ts';
import type { Group } from '../engine/scenario.ts';
import type { LatencyHistogram } from '../metrics/latency-histogram.ts';
import { matchesSeries } from '../metrics/series-key.ts';
import { SliceMerger } from '../metrics/slice.ts';
import type { TargetDescription } from '../target/target.ts';
import type { VideoAbility } from '../verdict/criterion.ts';
import type { ProtocolCapacity } from './capacity.ts';
import { findCapacity, type Step } from './find-capacity.ts';
import { type LoadSecond, LoadThread } from './load-thread.ts';
import { isAhead, type NullServerProcess, startNullServerProcess } from './null-server-process.ts';

/** How long a step takes: viewers come, everything calms down, it is measured. Whole seconds. */
export type StepLength = { readonly rampS: number; readonly settleS: number; readonly holdS: number };

/** A step and what a report may want of it. */
export type MeasuredStep = Step & {
  readonly timerLatenessP99Ms: number;
  readonly timeToFirstByteP50Ms: number | null;
  /** Resident memory of the process at the end of the step. */
  readonly rssBytes: number;
  readonly mbitPerSecond: number;
  readonly serverCpuPercent: number;
};

/** Time stood still for viewers of a server that never stands still: the generator invents stalls. */
const INVENTED_STALL_PERCENT_MAX = 0.5;
/** One second of a step may be over a limit. */
const BAD_SECONDS_MAX = 1;
const TIMING = { executor: 'constant-vus', vus: 1, arriveOverMs: 0 } as const;
const SAMPLE_EVERY = 10;

/** Viewers as the scenarios have them. */
export const CALIBRATED_GROUPS: Readonly<Record<VideoAbility, Group>> = {
  flv: { actor: 'flv-viewer', timing: TIMING, options: { profile: 'mpegts.js', sampleEvery: SAMPLE_EVERY } },
  hls: {
    actor: 'hls-viewer',
    timing: TIMING,
    options: { profile: 'hls.js', mode: 'classic', sampleEvery: SAMPLE_EVERY },
  },
  llhls: {
    actor: 'hls-viewer',
    timing: TIMING,
    options: { profile: 'hls.js', mode: 'low-latency', sampleEvery: SAMPLE_EVERY },
  },
};

const SEARCH: Readonly<Record<VideoAbility, { readonly first: number; readonly max: number }>> = {
  flv: { first: 300, max: 8000 },
  hls: { first: 300, max: 8000 },
  llhls: { first: 150, max: 4000 },
};
const STEPS_MAX = 8;
const PRECISION = 0.1;
const STEP: StepLength = { rampS: 2, settleS: 1, holdS: 3 };

/** A null server and one thread of viewers of the given groups; its owner calls `close`. */
export class Calibrator {
  readonly #server: NullServerProcess;
  readonly #thread: LoadThread;
  readonly #limits: GuardLimits;

  constructor(server: NullServerProcess, thread: LoadThread, limits: GuardLimits) {
    this.#server = server;
    this.#thread = thread;
    this.#limits = limits;
  }

  /** Throws NullServerError, LoadThreadError. */
  static async open(
    groups: Readonly<Record<string, Group>>,
    limits: GuardLimits = GUARD_DEFAULTS,
    onServer: (pid: number) => void = () => {},
  ): Promise<Calibrator> {
    const server = await startNullServerProcess();
    onServer(server.pid);
    const thread = new LoadThread(groups, descriptionOf(server));
    await thread.start();
    return new Calibrator(server, thread, limits);
  }

  /** Sets the number of viewers of every group and measures. Ramps of the first step are from nobody. */
  async step(counts: Readonly<Record<string, number>>, { rampS, settleS, holdS }: StepLength): Promise<MeasuredStep> {
    for (const [group, count] of Object.entries(counts)) this.#thread.set(group, count, rampS * 1000);
    await this.#thread.watch(rampS + settleS);
    this.#server.take();
    const seconds = await this.#thread.watch(holdS);
    return this.#stepOf(
      Object.values(counts).reduce((sum, count) => sum + count, 0),
      seconds,
    );
  }

  async close(): Promise<void> {
    await this.#thread.stop();
    await this.#server.stop();
  }

  #stepOf(viewers: number, seconds: readonly LoadSecond[]): MeasuredStep {
    const sum = new SliceMerger();
    for (const { data } of seconds) sum.add(data, 'replace');
    const bad = seconds.map(({ self }) => breachedLimits(self, this.#limits)).filter((names) => names.length > 0);
    const stalledPercent = (100 * counted(sum, 'stalled_ms_total')) / Math.max(1, counted(sum, 'watched_ms_total'));
    const starved = stalledPercent > INVENTED_STALL_PERCENT_MAX ? ['stalls it made itself'] : [];
    const server = this.#server.take();
    return {
      viewers,
      breaches: [...new Set([...(bad.length > BAD_SECONDS_MAX ? bad.flat() : []), ...starved])],
      isServerAhead: isAhead(server),
      cpuPercent: median(seconds.map(({ self }) => self.workerCpuPercent)),
      timerLatenessP99Ms: median(seconds.map(({ self }) => self.timerLatenessP99Ms)),
      timeToFirstByteP50Ms: ttfb(sum),
      rssBytes: process.memoryUsage.rss(),
      mbitPerSecond: (counted(sum, 'video_bytes_total') * 8) / 1e6 / seconds.length,
      serverCpuPercent: median(server.map(({ cpuPercent }) => cpuPercent)),
    };
  }
}

/** Searches for one way of watching. `onStep` is told of each step. */
export async function calibrateProtocol(
  protocol: VideoAbility,
  onStep: (step: MeasuredStep) => void,
  limits: GuardLimits = GUARD_DEFAULTS,
): Promise<ProtocolCapacity> {
  const calibrator = await Calibrator.open({ [protocol]: CALIBRATED_GROUPS[protocol] }, limits);
  const steps: MeasuredStep[] = [];
  try {
    const found = await findCapacity(
      { ...SEARCH[protocol], stepsMax: STEPS_MAX, cpuPercentMax: limits.workerCpuPercentMax, precision: PRECISION },
      async (viewers) => {
        const step = await calibrator.step({ [protocol]: viewers }, STEP);
        onStep(step);
        steps.push(step);
        return step;
      },
    );
    const floor = steps[0];
    return {
      viewersPerCore: found.viewers,
      isLowerBound: found.isLowerBound,
      limitedBy: found.limitedBy,
      floorMs: {
        timeToFirstByteP50: floor?.timeToFirstByteP50Ms ?? null,
        timerLatenessP99: floor?.timerLatenessP99Ms ?? Number.NaN,
      },
    };
  } finally {
    await calibrator.close();
  }
}

function descriptionOf({ flvUrl, hlsUrl }: NullServerProcess): TargetDescription {
  return {
    kind: 'null server',
    url: new URL(flvUrl).origin,
    planes: ['video'],
    subject: 'nothing',
    flvUrl,
    hls: { url: hlsUrl, isLowLatency: true },
    room: null,
    shop: null,
    version: null,
  };
}

function counted(sum: SliceMerger, metric: string): number {
  return [...sum.counters].reduce((total, [key, value]) => total + (matchesSeries(key, metric) ? value : 0), 0);
}

/** Of fragments and lists that do not wait, or of FLV's opening. */
function ttfb(sum: SliceMerger): number | null {
  let all: LatencyHistogram | null = null;
  for (const [key, histogram] of sum.trends) {
    if (!matchesSeries(key, 'hls_ttfb_ms') && !matchesSeries(key, 'flv_ttfb_ms')) continue;
    if (all === null) all = histogram;
    else all.add(histogram);
  }
  return all === null || all.count === 0 ? null : all.percentileMs(50);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
