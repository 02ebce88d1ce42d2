/**
 * How far the target's clock is from this host's, asked over HTTP: the answer was written somewhere between sending and
 * receiving, so the shortest round trip tells it best (Cristian's algorithm).
 */
import { ApiClient } from '../clients/api-client.ts';
import { monotonicMs, wallMsAt } from '../clock.ts';
import { Recorder } from '../metrics/recorder.ts';
import type { Manifest } from '../run-folder/manifest.ts';
import type { TargetAdapter, TargetDescription } from '../target/target.ts';

const PROBES = 8;
/** Both ends read whole milliseconds. */
const RESOLUTION_MS = 2;
const ADDRESS = '10.255.255.253';

/** One question, in wall-clock milliseconds: this host's when it was sent and answered, the target's in the answer. */
export type ClockProbe = { readonly sentAtMs: number; readonly receivedAtMs: number; readonly targetMs: number };

/** Target's clock = this host's + `offsetMs`, wrong by at most `boundMs`. */
export type ClockComparison = { readonly offsetMs: number; readonly boundMs: number };

/** Asks the target several times. Null when it has no clock to ask for, or any question fails. */
export async function measureClock(adapter: TargetAdapter, target: TargetDescription): Promise<ClockComparison | null> {
  if (adapter.clock === undefined) return null;
  const recorder = new Recorder(); // not part of the run's figures
  const api = new ApiClient({ baseUrl: target.url, recorder, group: 'clock', forwardedFor: ADDRESS });
  const probes: ClockProbe[] = [];
  try {
    for (let count = 0; count < PROBES; count += 1) {
      const sentAtMs = monotonicMs();
      const answer = await api.run(adapter.clock, sentAtMs);
      if (!answer.ok) return null;
      const receivedAtMs = monotonicMs();
      probes.push({ sentAtMs: wallMsAt(sentAtMs), receivedAtMs: wallMsAt(receivedAtMs), targetMs: answer.value });
    }
    return bestComparison(probes);
  } finally {
    api.close();
  }
}

/** From the shortest round trip; null without probes. */
export function bestComparison(probes: readonly ClockProbe[]): ClockComparison | null {
  const roundTripMs = ({ sentAtMs, receivedAtMs }: ClockProbe): number => receivedAtMs - sentAtMs;
  const best = probes.toSorted((a, b) => roundTripMs(a) - roundTripMs(b))[0];
  if (best === undefined) return null;
  return {
    offsetMs: best.targetMs - (best.sentAtMs + best.receivedAtMs) / 2,
    boundMs: roundTripMs(best) / 2 + RESOLUTION_MS,
  };
}

/**
 * What the manifest says of the clocks: compared at the start, whose offset the run uses, every minute, and at the end.
 * `steppedMs`: how far this host's own clock was set meanwhile.
 */
export function clockOfRun(
  isCoLocated: boolean,
  comparisons: readonly (ClockComparison | null)[],
  steppedMs = 0,
): Manifest['clock'] {
  const stepNote = steppedMs === 0 ? '' : `; this host's clock was set by ${steppedMs.toFixed(0)} ms meanwhile`;
  if (isCoLocated) {
    return {
      boundMs: steppedMs,
      note:
        'generator and target share one clock, the publisher is taken to do so too: the error bound of latencies is ' +
        `${steppedMs.toFixed(0)}${stepNote}`,
    };
  }
  const known = comparisons.filter((one) => one !== null);
  const [start, end] = [comparisons[0] ?? null, comparisons.at(-1) ?? null];
  if (start === null || end === null || comparisons.length < 2) {
    return { boundMs: null, note: 'the clocks of generator and target were not compared: delays cannot be judged' };
  }
  const driftMs = Math.max(...known.map(({ offsetMs }) => Math.abs(offsetMs - start.offsetMs)));
  const boundMs = Math.max(...known.map((one) => one.boundMs)) + driftMs + steppedMs;
  const side = start.offsetMs < 0 ? 'behind' : 'ahead of';
  return {
    boundMs,
    note:
      `the target's clock is ${Math.abs(start.offsetMs).toFixed(0)} ms ${side} the generator's, corrected, wrong by at ` +
      `most ${boundMs.toFixed(0)} ms (compared ${known.length} times${stepNote}); the publisher is taken to have the ` +
      "target's clock",
  };
}
