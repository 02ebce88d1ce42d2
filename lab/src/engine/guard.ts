/**
 * The saturation guard: a generator that was itself too busy says nothing about the server. Seconds over a limit are
 * tainted; too many of them and the run is INVALID.
 */

/** Limits per second of the run, and how much may be over them. */
export type GuardLimits = {
  /** Event-loop delay p99 of any worker. */
  readonly loopDelayP99MsMax: number;
  /** CPU of one worker thread, percent of one core. */
  readonly workerCpuPercentMax: number;
  /** Lateness p99 of scheduled actions. */
  readonly timerLatenessP99MsMax: number;
  /** Resident memory of the generator, percent of what the host has. */
  readonly memoryPercentMax: number;
  /** Longest pause for garbage collection of any thread. */
  readonly gcPauseMsMax: number;
  /** Open files and sockets of the process, percent of what it may open. */
  readonly openFilesPercentMax: number;
  /** Outgoing ports that are taken, percent of the ephemeral range. */
  readonly portsPercentMax: number;
  /** The wall clock was set by this much while the second went on. */
  readonly clockStepMsMax: number;
  /** Share of tainted seconds, percent, above which the run is INVALID. */
  readonly taintedPercentMax: number;
};

/** Defaults: 80 % CPU and 90 % memory are the usual guards of load generators; the delays keep a stall's error under 100 ms. */
export const GUARD_DEFAULTS: GuardLimits = {
  loopDelayP99MsMax: 100,
  workerCpuPercentMax: 80,
  timerLatenessP99MsMax: 100,
  memoryPercentMax: 90,
  gcPauseMsMax: 100,
  openFilesPercentMax: 90,
  portsPercentMax: 80,
  clockStepMsMax: 50,
  taintedPercentMax: 10,
};

/**
 * What the generator saw of itself in one second: the worst of its threads. What only one thread looks at (files, ports, clock) is
 * absent in the samples of the others.
 */
export type SelfSample = {
  readonly loopDelayP99Ms: number;
  readonly workerCpuPercent: number;
  readonly timerLatenessP99Ms: number;
  readonly memoryPercent: number;
  readonly gcPauseMs?: number;
  /** Resident memory of the process, all threads. */
  readonly rssBytes?: number;
  readonly openFilesPercent?: number;
  readonly portsPercent?: number;
  /** How far the wall clock moved against the monotonic one, either way. */
  readonly clockStepMs?: number;
};

/** Figures that are not in every sample. */
const OPTIONAL = ['gcPauseMs', 'rssBytes', 'openFilesPercent', 'portsPercent', 'clockStepMs'] as const;

/** Names of the limits this second broke; empty when it can be trusted. */
export function breachedLimits(sample: SelfSample, limits: GuardLimits): string[] {
  const checks: readonly (readonly [string, number | undefined, number])[] = [
    ['event-loop delay p99', sample.loopDelayP99Ms, limits.loopDelayP99MsMax],
    ['worker CPU', sample.workerCpuPercent, limits.workerCpuPercentMax],
    ['timer lateness p99', sample.timerLatenessP99Ms, limits.timerLatenessP99MsMax],
    ['memory', sample.memoryPercent, limits.memoryPercentMax],
    ['GC pause', sample.gcPauseMs, limits.gcPauseMsMax],
    ['open files', sample.openFilesPercent, limits.openFilesPercentMax],
    ['ephemeral ports', sample.portsPercent, limits.portsPercentMax],
    ['wall clock set', sample.clockStepMs, limits.clockStepMsMax],
  ];
  return checks.filter(([, value, limit]) => value !== undefined && !(value <= limit)).map(([name]) => name);
}

/** The worst of several workers in the same second. */
export function worstSelfSample(samples: readonly SelfSample[]): SelfSample {
  const worst = (read: (sample: SelfSample) => number): number => Math.max(0, ...samples.map(read));
  return {
    loopDelayP99Ms: worst((sample) => sample.loopDelayP99Ms),
    workerCpuPercent: worst((sample) => sample.workerCpuPercent),
    timerLatenessP99Ms: worst((sample) => sample.timerLatenessP99Ms),
    memoryPercent: worst((sample) => sample.memoryPercent),
    ...Object.fromEntries(
      OPTIONAL.flatMap((name) => {
        const known = samples.map((sample) => sample[name]).filter((value) => value !== undefined);
        return known.length === 0 ? [] : [[name, Math.max(...known)]];
      }),
    ),
  };
}
