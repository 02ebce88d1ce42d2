/**
 * BANDWIDTH and AVERAGE-BANDWIDTH of the multivariant playlist. Spec: rfc8216bis, 4.4.6.2: the peak is that of any run of segments
 * between half and one and a half target durations long.
 */

/** What an encoder may go over what it has shown so far: a quiet start is followed by action. */
const MARGIN = 1.25;
const STEP_BPS = 50_000;

/** Declared figures: they only ever rise, and in steps, because players compare and keep them. */
export class BandwidthMeter {
  readonly #shortMs: number;
  #peakBps = 0;
  #averageBps = 0;
  #totalBytes = 0;
  #totalMs = 0;
  #shortRun = { bytes: 0, durationMs: 0 };

  constructor(targetDurationMs: number) {
    this.#shortMs = targetDurationMs / 2;
  }

  get peakBps(): number {
    return this.#peakBps;
  }
  get averageBps(): number {
    return this.#averageBps;
  }

  /** Counts a segment; true when a declared figure rose. */
  add(segment: Readonly<{ bytes: number; durationMs: number }>): boolean {
    this.#totalBytes += segment.bytes;
    this.#totalMs += segment.durationMs;
    const run = {
      bytes: this.#shortRun.bytes + segment.bytes,
      durationMs: this.#shortRun.durationMs + segment.durationMs,
    };
    // A short segment (a publisher dropped out) is judged with what follows it.
    this.#shortRun = run.durationMs < this.#shortMs ? run : { bytes: 0, durationMs: 0 };
    if (run.durationMs < this.#shortMs) return false;
    const bps = bitsPerSecond(run);
    if (bps <= this.#peakBps) return false;
    this.#peakBps = Math.ceil((bps * MARGIN) / STEP_BPS) * STEP_BPS;
    this.#averageBps =
      Math.ceil(bitsPerSecond({ bytes: this.#totalBytes, durationMs: this.#totalMs }) / STEP_BPS) * STEP_BPS;
    return true;
  }
}

function bitsPerSecond({ bytes, durationMs }: Readonly<{ bytes: number; durationMs: number }>): number {
  return (bytes * 8_000) / durationMs;
}
