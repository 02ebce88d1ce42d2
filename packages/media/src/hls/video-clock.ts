/**
 * Decode times of pictures: RTMP's whole milliseconds, smoothed to the frame rate, so that sample durations are equal, parts are
 * whole and the duration of a picture is known when it arrives and not one frame later. What is no jitter (a dropped frame, a
 * pause) stays where the publisher put it.
 */
import { TICKS_PER_MS } from './part-plan.ts';

/** A picture on its way into a part. Its times may change until the next one comes or its part is closed; when it is shown does not. */
export type Picture = {
  readonly data: Uint8Array;
  dtsTicks: number;
  compositionOffsetTicks: number;
  readonly isKeyframe: boolean;
  durationTicks: number;
};

/** Nearer to its expected time than this, a picture is on time. */
const JITTER_MS_MAX = 12;
/** The share of the remaining error that one frame makes good. */
const CORRECTION_SHARE = 1 / 8;
/** What a part may grow by corrections; PART-TARGET leaves 1 ms. */
const CORRECTION_MS_PER_PART = 0.7;
/** So many equal steps of another length are another frame rate. */
const RATE_FRAMES = 32;
const RATE_STEP_SPREAD_MS = 3;
const RATE_CHANGE_SHARE = 0.004;
/** After so many pictures in time the next ones are expected to be, too. */
const STEADY_AFTER_FRAMES = 20;

/**
 * What became of a picture's time. `late`: the picture before it stands longer · `pulled`: that one has been sent, so this one is decoded
 * early and shown when it was meant to be · `early`: before it was due.
 */
export type Placement = 'steady' | 'late' | 'pulled' | 'early';

/** The clock of one video track, in ticks. */
export class VideoClock {
  #frameTicks: number;
  readonly #partTicks: number;
  #beginTicks: number | null = null;
  #last: Picture | null = null;
  /** The last picture went out: its duration cannot be changed any more. */
  #isLastSent = false;
  #steadyFrames = 0;
  #errorTicks = 0;
  #rate = { startTicks: 0, lastTicks: 0, frames: 0, stepMin: 0, stepMax: 0 };

  constructor(frameMs: number, partTargetMs: number) {
    this.#frameTicks = frameMs * TICKS_PER_MS;
    this.#partTicks = partTargetMs * TICKS_PER_MS;
  }

  /** The time of one frame as it is now. */
  get frameTicks(): number {
    return this.#frameTicks;
  }
  /** True while pictures come in time: then the duration of the latest can be trusted. */
  get isSteady(): boolean {
    return this.#steadyFrames >= STEADY_AFTER_FRAMES;
  }
  /** When the next picture is due; null before the first. */
  get nextTicks(): number | null {
    return this.#last === null ? null : this.#last.dtsTicks + this.#last.durationTicks;
  }

  /** The first picture comes at `ticks`, whatever its own time: what was there before ended there. */
  beginAt(ticks: number): void {
    this.#beginTicks = ticks;
  }

  /** A picture has gone out with the duration it has. */
  sent(picture: Picture): void {
    if (picture === this.#last) this.#isLastSent = true;
  }

  /**
   * Gives a picture its decode time. `atTicks` is what the publisher said. There is never a hole: browsers drop what follows one, up to
   * the next keyframe (Media Source Extensions, coded frame processing).
   */
  place(
    picture: Readonly<{ data: Uint8Array; compositionOffsetTicks: number; isKeyframe: boolean }>,
    atTicks: number,
  ): { picture: Picture; placement: Placement } {
    const { dtsTicks, placement } = this.#timeOf(atTicks);
    this.#steadyFrames = placement === 'steady' ? this.#steadyFrames + 1 : 0;
    const heldTicks = placement === 'pulled' ? Math.round(atTicks) - dtsTicks : 0;
    this.#errorTicks = atTicks - dtsTicks - heldTicks;
    this.#followRate(atTicks);
    const { data, compositionOffsetTicks, isKeyframe } = picture;
    const placed: Picture = {
      data,
      dtsTicks,
      compositionOffsetTicks: this.#wholeFrames(compositionOffsetTicks) + heldTicks,
      isKeyframe,
      durationTicks: this.#nextDuration() + heldTicks,
    };
    this.#last = placed;
    this.#isLastSent = false;
    return { picture: placed, placement };
  }

  #timeOf(atTicks: number): { dtsTicks: number; placement: Placement } {
    const last = this.#last;
    if (last === null) return { dtsTicks: this.#beginTicks ?? Math.max(0, Math.round(atTicks)), placement: 'steady' };
    const dueTicks = last.dtsTicks + last.durationTicks;
    const offTicks = atTicks - dueTicks;
    if (Math.abs(offTicks) <= Math.min(this.#frameTicks / 2, JITTER_MS_MAX * TICKS_PER_MS)) {
      return { dtsTicks: dueTicks, placement: 'steady' };
    }
    if (offTicks < 0) {
      const dtsTicks = this.#isLastSent ? dueTicks : Math.max(last.dtsTicks + 1, Math.round(atTicks));
      if (!this.#isLastSent) last.durationTicks = dtsTicks - last.dtsTicks;
      return { dtsTicks, placement: 'early' };
    }
    if (this.#isLastSent) return { dtsTicks: dueTicks, placement: 'pulled' };
    const dtsTicks = Math.round(atTicks);
    last.durationTicks = dtsTicks - last.dtsTicks;
    return { dtsTicks, placement: 'late' };
  }

  #nextDuration(): number {
    const perPart = Math.max(1, Math.round(this.#partTicks / this.#frameTicks));
    const mostTicks = (CORRECTION_MS_PER_PART * TICKS_PER_MS) / perPart;
    const correction = Math.max(-mostTicks, Math.min(mostTicks, this.#errorTicks * CORRECTION_SHARE));
    return Math.max(1, Math.round(this.#frameTicks + correction));
  }

  /** Composition offsets are rounded to ms as well, but are whole frames by nature. */
  #wholeFrames(ticks: number): number {
    const whole = Math.round(ticks / this.#frameTicks) * this.#frameTicks;
    return Math.round(Math.abs(whole - ticks) <= 1.5 * TICKS_PER_MS ? whole : ticks);
  }

  /** An encoder that changes to another steady rate (a phone in the dark, another publisher) is followed. */
  #followRate(atTicks: number): void {
    const rate = this.#rate;
    const step = atTicks - rate.lastTicks;
    const isFirst = rate.frames === 0;
    const stepMin = isFirst ? step : Math.min(rate.stepMin, step);
    const stepMax = isFirst ? step : Math.max(rate.stepMax, step);
    if (this.#last === null || step <= 0 || stepMax - stepMin > RATE_STEP_SPREAD_MS * TICKS_PER_MS) {
      this.#rate = { startTicks: atTicks, lastTicks: atTicks, frames: 0, stepMin: 0, stepMax: 0 };
      return;
    }
    this.#rate = { startTicks: rate.startTicks, lastTicks: atTicks, frames: rate.frames + 1, stepMin, stepMax };
    if (this.#rate.frames < RATE_FRAMES) return;
    const measured = (atTicks - rate.startTicks) / this.#rate.frames;
    if (Math.abs(measured - this.#frameTicks) > this.#frameTicks * RATE_CHANGE_SHARE) this.#frameTicks = measured;
    this.#rate = { startTicks: atTicks, lastTicks: atTicks, frames: 0, stepMin: 0, stepMax: 0 };
  }
}

/** Decodes a picture earlier, at `ticks`: it is shown when it was meant to be, and ends when it would have ended. */
export function decodeEarlier(picture: Picture, ticks: number): void {
  const heldTicks = picture.dtsTicks - ticks;
  picture.dtsTicks = ticks;
  picture.compositionOffsetTicks += heldTicks;
  picture.durationTicks += heldTicks;
}
