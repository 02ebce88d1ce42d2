/** How each kind of fault is made, shown to work, and taken back. One object per fault of a run. */
import { monotonicMs } from '../clock.ts';
import type { TargetDescription } from '../target/target.ts';
import { isProcessFault, type ProcessFault, processOf, type ScheduledFault } from './fault.ts';
import { type FaultNetwork, planeUrls } from './fault-network.ts';
import type { NetworkFault } from './network-fault.ts';
import { MediaWatch, type ProbeResult, probePlane } from './plane-probe.ts';
import { holdsWithin, type ProcessControl } from './process-control.ts';

/** All instants are monotonic milliseconds. */
export type Injection = {
  /** Looks at what is healthy; call it shortly before. */
  readonly prepare: () => Promise<void>;
  /** Makes it so; resolves with the instant from which it is. Throws when it cannot be done. */
  readonly inject: () => Promise<number>;
  /** Whether an independent probe sees the effect, and how, in a few words. */
  readonly verify: (withinMs: number) => Promise<{ readonly isActive: boolean; readonly by: string }>;
  /** Takes it back; resolves with the instant. Null: it must come back by itself. */
  readonly lift: (() => Promise<number>) | null;
  /** Whether that is the healing itself; otherwise it is healed when the probe says so. */
  readonly isHealedByLift: boolean;
  /** The instant at which the probe found the plane well again; null when it is not (yet). */
  readonly probeHealed: () => Promise<number | null>;
  readonly dispose: () => void;
};

/** What injections work on. */
export type InjectionTools = {
  readonly target: TargetDescription;
  readonly network: FaultNetwork | null;
  readonly processes: ReadonlyMap<string, ProcessControl>;
};

const PROBE_TIMEOUT_MS = 1000;
/** A network counts as healed when it answers within this much more than before. */
const HEALED_SLACK_MS = 500;

/** Throws when the tools for it are missing: ask {@link whyImpossible} first. */
export function createInjection(scheduled: ScheduledFault, tools: InjectionTools): Injection {
  const { fault } = scheduled;
  if (!isProcessFault(fault)) return networkInjection({ ...scheduled, fault }, tools);
  const control = tools.processes.get(processOf(fault));
  if (control === undefined) throw new Error(`no process is named ${processOf(fault)}`);
  if (fault.kind === 'publisher-stop') return publisherInjection(control, tools);
  return processInjection(fault.kind, control, firstUrl(scheduled, tools.target));
}

/** Why this fault cannot be made in this run; null when it can. */
export function whyImpossible(
  { fault, on }: ScheduledFault,
  target: TargetDescription,
  isNamed: (process: string) => boolean,
): string | null {
  if (!on.some((plane) => target.planes.includes(plane))) return `the target has no ${on.join(', no ')} plane`;
  if (!isProcessFault(fault) || isNamed(processOf(fault))) return null;
  return `no process was named: --process ${processOf(fault)}=<pid>`;
}

function firstUrl({ on, name }: ScheduledFault, target: TargetDescription): URL {
  const url = on.flatMap((plane) => planeUrls(target, plane))[0];
  if (url === undefined) throw new Error(`the fault ${name} is on a plane without a URL`);
  return url;
}

function networkInjection(
  scheduled: ScheduledFault & { readonly fault: NetworkFault },
  { target, network }: InjectionTools,
): Injection {
  if (network === null) throw new Error('a fault of the network needs one');
  const { fault, on } = scheduled;
  const url = network.probeUrl(firstUrl(scheduled, target));
  const probe = (readForMs: number, timeoutMs = PROBE_TIMEOUT_MS): Promise<ProbeResult> =>
    probePlane(fault.kind === 'slow-close' ? new URL('/lab-probe', url) : url, { timeoutMs, readForMs });
  let healthyMs = Number.NaN;
  return {
    prepare: async () => {
      healthyMs = (await probe(0)).answerMs;
    },
    inject: () => network.apply(target, on, [fault]),
    verify: async (withinMs) => {
      const readForMs = fault.kind === 'bandwidth' || fault.kind === 'slicer' ? 0.8 * withinMs : 0;
      const timeoutMs = fault.kind === 'latency' || fault.kind === 'slow-close' ? withinMs : Math.min(withinMs, 1000);
      const seen = await probe(fault.kind === 'slow-close' ? withinMs : readForMs, timeoutMs);
      return { isActive: isSeen(fault, seen, healthyMs), by: describe(seen) };
    },
    lift: () => network.apply(target, on, []),
    isHealedByLift: true,
    probeHealed: async () => {
      const { outcome, answerMs } = await probe(0);
      return outcome === 'answered' && !(answerMs > healthyMs + HEALED_SLACK_MS) ? monotonicMs() : null;
    },
    dispose: () => {},
  };
}

/** Timers and the target's own variation. */
const TOLERANCE_MS = 30;

/** Whether one request through the network shows what the fault says. */
export function isSeen(fault: NetworkFault, seen: ProbeResult, healthyMs: number): boolean {
  const ways = 'direction' in fault && fault.direction !== undefined && fault.direction !== 'both' ? 1 : 2;
  switch (fault.kind) {
    case 'latency': {
      const leastMs = ways * (fault.latencyMs - (fault.jitterMs ?? 0));
      return seen.answerMs - healthyMs >= leastMs - TOLERANCE_MS;
    }
    case 'bandwidth':
      // More than half of what may pass: otherwise there was nothing to hold back.
      return (
        seen.bytes <= 1.25 * fault.bytesPerSecond * (seen.readMs / 1000) + 4096 &&
        seen.bytes >= 0.5 * fault.bytesPerSecond * (seen.readMs / 1000)
      );
    case 'slow-close':
      return seen.endAfterMs >= fault.delayMs - TOLERANCE_MS;
    case 'slicer':
      // On average: a busy host reads several pieces at once now and then.
      return seen.reads > 1 && seen.bytes / seen.reads <= 2 * fault.pieceBytes;
    case 'reset':
      return seen.outcome === 'closed';
    case 'timeout':
    case 'partition':
      return seen.outcome === 'silent';
    default:
      return false;
  }
}

function describe({ outcome, answerMs, bytes, readMs }: ProbeResult): string {
  if (outcome !== 'answered') return `the probe was ${outcome === 'silent' ? 'not answered' : 'turned away'}`;
  return `the probe was answered after ${Math.round(answerMs)} ms, ${bytes} bytes in ${Math.round(readMs)} ms`;
}

function processInjection(
  kind: Exclude<ProcessFault['kind'], 'publisher-stop'>,
  control: ProcessControl,
  url: URL,
): Injection {
  const answers = async (): Promise<boolean> =>
    (await probePlane(url, { timeoutMs: PROBE_TIMEOUT_MS, readForMs: 0 })).outcome === 'answered';
  const isPause = kind === 'process-pause';
  return {
    prepare: async () => {},
    inject: async () => {
      if (isPause) control.pause();
      else await control.stop(kind === 'process-kill' ? 'SIGKILL' : 'SIGTERM');
      return monotonicMs();
    },
    verify: async (withinMs) => {
      if (isPause) {
        const isStopped = await holdsWithin(() => control.isStopped() !== false, withinMs);
        return {
          isActive: isStopped && !(await answers()),
          by: 'the process is stopped and its plane does not answer',
        };
      }
      if (control.hasPid) {
        return { isActive: await holdsWithin(() => control.isGone() !== false, withinMs), by: 'the process is gone' };
      }
      return { isActive: !(await answers()), by: 'the plane does not answer' };
    },
    lift: isPause || control.canStart ? liftProcess(control, isPause) : null,
    isHealedByLift: isPause,
    probeHealed: async () => ((await answers()) ? monotonicMs() : null),
    dispose: () => {
      if (isPause) control.resume();
    },
  };
}

function liftProcess(control: ProcessControl, isPause: boolean): () => Promise<number> {
  return async () => {
    if (isPause) control.resume();
    else control.start();
    return monotonicMs();
  };
}

/** No media for this long: the publisher is gone. Longer than the pause between two frames or parts. */
const MEDIA_SILENCE_MS = 700;

function publisherInjection(control: ProcessControl, { target }: InjectionTools): Injection {
  let watch: MediaWatch | null = null;
  let silentSinceMs = Number.POSITIVE_INFINITY;
  return {
    prepare: async () => {
      if (target.flvUrl !== null) watch = new MediaWatch(new URL(target.flvUrl));
    },
    inject: async () => {
      await control.stop('SIGTERM');
      return monotonicMs();
    },
    verify: async (withinMs) => {
      if (watch === null) {
        return { isActive: await holdsWithin(() => control.isGone() !== false, withinMs), by: 'the publisher is gone' };
      }
      const lastMediaAtMs = (): number => watch?.lastMediaAtMs ?? Number.NEGATIVE_INFINITY;
      const isSilent = (): boolean => monotonicMs() - lastMediaAtMs() >= MEDIA_SILENCE_MS;
      const wasOnAir = Number.isFinite(lastMediaAtMs());
      const isActive = wasOnAir && (await holdsWithin(isSilent, withinMs));
      silentSinceMs = lastMediaAtMs();
      return { isActive, by: wasOnAir ? 'no media comes any more' : 'no media came before either' };
    },
    lift: control.canStart ? liftProcess(control, false) : null,
    isHealedByLift: true, // the clock starts when the publisher is back, not when its media is
    probeHealed: async () => {
      const lastMediaAtMs = watch?.lastMediaAtMs ?? Number.NEGATIVE_INFINITY;
      return lastMediaAtMs > silentSinceMs ? lastMediaAtMs : null;
    },
    dispose: () => watch?.close(),
  };
}
