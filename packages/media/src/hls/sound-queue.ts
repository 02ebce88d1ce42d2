import type { Fmp4Sample } from '@showfloor/media-formats';
import { AudioClock, GAP_MS_MIN, type Sound } from './audio-clock.ts';
import { HLS_TIMESCALE, TICKS_PER_MS } from './part-plan.ts';
import type { HlsGapKind, PartRun } from './segmenter.ts';

/** Sound this far behind the picture is missing, not late. */
const MISSING_MS = 1_000;

/**
 * Sound this far ahead of the picture is of another clock and left out: what would fill the time between has no bound. Pictures may pause for
 * 10 s before sound goes on alone.
 */
const AHEAD_MS_MAX = 12_000;

/** What a queue must know of its codec. `silence` is a frame without sound, null where we know none. */
export type SoundFormat = Readonly<{ sampleRateHz: number; frameSamples: number; silence: Uint8Array | null }>;

/**
 * Sound between the clock and the part it goes into. Where a publisher sends none, silence takes its place (if there is any for
 * its codec): a player that was promised two tracks waits for both.
 */
export class SoundQueue {
  readonly #clock: AudioClock;
  readonly #silence: Uint8Array | null;
  readonly #frameTicks: number;
  readonly #onGap: (kind: HlsGapKind) => void;
  #sounds: Sound[] = [];
  #isSilent = false;
  #lastTaken: Sound | null = null;
  #beginTicks: number | null = null;
  /** How far pictures have come; null when there are none. */
  #pictureTicks: number | null = null;

  constructor(format: SoundFormat, onGap: (kind: HlsGapKind) => void) {
    this.#clock = new AudioClock(format.sampleRateHz, format.frameSamples);
    this.#silence = format.silence;
    this.#frameTicks = (format.frameSamples * HLS_TIMESCALE) / format.sampleRateHz;
    this.#onGap = onGap;
  }

  /** Where the sound that is there ends, in output ticks; null before the first frame. */
  get endTicks(): number | null {
    const nextSamples = this.#clock.nextSamples;
    return nextSamples === null ? null : this.#toTicks(nextSamples);
  }
  /** Frames that wait. */
  get length(): number {
    return this.#sounds.length;
  }

  /** Pictures begin at `ticks`: so does sound, with silence as far as there is none. */
  beginAt(ticks: number): void {
    this.#beginTicks = ticks;
    this.#pictureTicks = ticks;
  }

  /** Takes a frame whose output time is `atTicks`. */
  push(data: Uint8Array, atTicks: number): void {
    if (this.#pictureTicks !== null && atTicks - this.#pictureTicks > AHEAD_MS_MAX * TICKS_PER_MS) {
      this.#onGap('audio_dropped');
      return;
    }
    const dueTicks = this.endTicks ?? this.#beginTicks ?? atTicks;
    const isGap = atTicks - dueTicks > GAP_MS_MIN * TICKS_PER_MS;
    if (this.#silence !== null && (this.#isSilent || isGap || this.endTicks === null)) {
      if (isGap && !this.#isSilent) this.#onGap('audio_gap');
      this.#fillUpTo(atTicks - this.#frameTicks / 2, dueTicks);
    }
    const { sound, placement } = this.#clock.place(data, atTicks / TICKS_PER_MS);
    // After silence the first frames overlap what was filled: that is no fault of theirs.
    if (placement === 'gap' || (placement === 'dropped' && !this.#isSilent)) {
      this.#onGap(placement === 'gap' ? 'audio_gap' : 'audio_dropped');
    }
    if (sound === null) return;
    this.#isSilent = false;
    this.#sounds.push(sound);
  }

  /** Fills with silence up to `endTicks` when sound has been missing for a second. `fromTicks`: where it begins if there was none. */
  fill(fromTicks: number, endTicks: number): void {
    this.#pictureTicks = endTicks;
    if (this.#silence === null) return;
    const haveTicks = this.endTicks ?? fromTicks;
    if (!this.#isSilent && endTicks - haveTicks <= MISSING_MS * TICKS_PER_MS) return;
    if (!this.#isSilent) this.#onGap('silence');
    this.#isSilent = true;
    this.#fillUpTo(endTicks, fromTicks);
  }

  #fillUpTo(endTicks: number, fromTicks: number): void {
    if (this.#silence === null) return;
    const fromSamples = Math.round((fromTicks * this.#clock.sampleRateHz) / HLS_TIMESCALE);
    while ((this.endTicks ?? fromTicks) < endTicks) this.#sounds.push(this.#clock.follow(this.#silence, fromSamples));
  }

  /** From now on silence at once when sound is missing: there has been none yet. */
  expectNone(): void {
    this.#isSilent = this.#silence !== null;
  }

  /** Takes out what begins before `endTicks`; null when there is nothing. */
  take(endTicks: number): PartRun | null {
    const end = this.#sounds.findIndex((sound) => this.#toTicks(sound.startSamples) >= endTicks);
    return this.#takeCount(end === -1 ? this.#sounds.length : end);
  }

  /** The next `count` frames; null when there are fewer. */
  takeExactly(count: number): PartRun | null {
    return this.#sounds.length < count ? null : this.#takeCount(count);
  }

  takeAll(): PartRun | null {
    return this.#takeCount(this.#sounds.length);
  }

  /** Lets go what has not been taken: the timeline goes on where it was left. */
  drop(): void {
    this.#sounds = [];
    this.#clock.rewind(this.#lastTaken);
  }

  #takeCount(count: number): PartRun | null {
    const taken = this.#sounds.slice(0, count);
    const first = taken[0];
    if (first === undefined) return null;
    this.#lastTaken = taken.at(-1) ?? null;
    this.#sounds = this.#sounds.slice(count);
    if (this.#sounds.length === 0) this.#clock.sent();
    return { baseDecodeTimeTicks: first.startSamples, samples: taken.map(toSample) };
  }

  #toTicks(samples: number): number {
    return Math.round((samples * HLS_TIMESCALE) / this.#clock.sampleRateHz);
  }
}

function toSample(sound: Sound): Fmp4Sample {
  return { data: sound.data, durationTicks: sound.durationSamples, compositionOffsetTicks: 0, isKeyframe: true };
}
