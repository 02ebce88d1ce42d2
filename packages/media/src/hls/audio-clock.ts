/**
 * Decode times of sound, counted in samples: each AAC frame lasts exactly as long as it sounds. RTMP's timestamps (whole ms, and
 * the encoder's own clock) only steer: a drift is made good by a millisecond a frame, a gap at once.
 */

/** An AAC frame on its way into a part. */
export type Sound = { readonly data: Uint8Array; readonly startSamples: number; durationSamples: number };

/** Nearer to the timestamps than this, the count is right. */
const DRIFT_MS_MAX = 40;
/** A drift is made good down to this. */
const DRIFT_MS_DONE = 5;
const CORRECTION_MS_PER_FRAME = 1;
/** Beyond, sound was lost, or comes a second time. */
export const GAP_MS_MIN = 200;

/** `gap`: the publisher left sound out. `dropped`: this time is filled already, the frame is not taken. */
export type SoundPlacement = 'steady' | 'gap' | 'dropped';

/** The clock of one audio track, in samples. */
export class AudioClock {
  readonly sampleRateHz: number;
  readonly #frameSamples: number;
  #last: Sound | null = null;
  #isLastSent = false;
  #isCorrecting = false;

  /** `frameSamples`: 1024, or 960 where the config says so. */
  constructor(sampleRateHz: number, frameSamples: number) {
    this.sampleRateHz = sampleRateHz;
    this.#frameSamples = frameSamples;
  }

  /** Where the next frame begins; null before the first. */
  get nextSamples(): number | null {
    return this.#last === null ? null : this.#last.startSamples + this.#last.durationSamples;
  }

  /** The latest frame has gone out with the duration it has. */
  sent(): void {
    this.#isLastSent = true;
  }

  /** Gives a frame its time; `atMs` is what the publisher said. */
  place(data: Uint8Array, atMs: number): { sound: Sound | null; placement: SoundPlacement } {
    const atSamples = Math.max(0, Math.round((atMs * this.sampleRateHz) / 1_000));
    const nextSamples = this.nextSamples;
    if (nextSamples === null) return { sound: this.#append(data, atSamples, 0), placement: 'steady' };
    const offMs = ((atSamples - nextSamples) * 1_000) / this.sampleRateHz;
    if (offMs < -GAP_MS_MIN) return { sound: null, placement: 'dropped' };
    if (offMs > GAP_MS_MIN) {
      if (this.#last !== null && !this.#isLastSent) {
        this.#last.durationSamples = atSamples - this.#last.startSamples;
      }
      return { sound: this.#append(data, atSamples, 0), placement: 'gap' };
    }
    return { sound: this.#append(data, nextSamples, this.#correctionMs(offMs)), placement: 'steady' };
  }

  /** The next frame, directly behind the last: silence. Begins at `atSamples` when nothing was there before. */
  follow(data: Uint8Array, atSamples: number): Sound {
    return this.#append(data, this.nextSamples ?? atSamples, 0);
  }

  /** What came after `last` is not used: time goes on behind it. Null: nothing was used. */
  rewind(last: Sound | null): void {
    this.#last = last;
    this.#isLastSent = true;
  }

  #append(data: Uint8Array, startSamples: number, correctionMs: number): Sound {
    const correction = Math.round((correctionMs * this.sampleRateHz) / 1_000);
    const sound: Sound = { data, startSamples, durationSamples: this.#frameSamples + correction };
    this.#last = sound;
    this.#isLastSent = false;
    return sound;
  }

  #correctionMs(offMs: number): number {
    if (Math.abs(offMs) > DRIFT_MS_MAX) this.#isCorrecting = true;
    if (Math.abs(offMs) < DRIFT_MS_DONE) this.#isCorrecting = false;
    return this.#isCorrecting ? Math.sign(offMs) * CORRECTION_MS_PER_FRAME : 0;
  }
}
