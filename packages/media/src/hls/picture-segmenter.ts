/**
 * Cuts pictures, with or without sound, into parts and segments. Times are decode times in 1/90,000 s.
 *
 * - A part is closed with its last picture, not with the first of the next, while pictures come in time: what it lasts is known.
 * - A part lasts at most PART-TARGET. Where pictures do not fit (a changing frame rate, a pause) it ends at the last picture that
 *   begins within 85–100 % of it; if there is none, where parts usually end, and the next picture is decoded there, before it is shown. So
 *   a part lasts as long as what is in it, unless no picture comes for a whole part: then the one before stands longer than its part.
 * - A segment ends at the first keyframe after `segmentMs`, or without one at `segmentMsMax`, and then at any next keyframe.
 * - A pause in which sound goes on stays: the picture before it stands. A pause in which nothing came is closed up, as the stream
 *   closes up longer ones.
 */
import type { Fmp4Sample } from '@showfloor/media-formats';
import { framesPerPart, KEYFRAME_EARLY_MS_MAX, PART_FILL_MIN, TICKS_PER_MS } from './part-plan.ts';
import type { HlsFrame, Segmenter, SegmenterSink, SegmenterStart, SegmentPlan } from './segmenter.ts';
import { toStreamMs } from './segmenter.ts';
import type { SoundQueue } from './sound-queue.ts';
import { decodeEarlier, type Picture, VideoClock } from './video-clock.ts';

/** A picture further behind the end of a part than this many parts ends a pause: it is decoded where it is shown. */
const EARLY_PARTS_MAX = 2;
/** Sound that waits for a picture: 10 s of it. */
const WAITING_SOUNDS_MAX = 500;

/** See the file. `sounds` is null for a stream without sound. */
export class PictureSegmenter implements Segmenter {
  readonly #plan: SegmentPlan;
  readonly #sink: SegmenterSink;
  readonly #sounds: SoundQueue | null;
  readonly #clock: VideoClock;
  readonly #partTicksMax: number;
  #offsetTicks: number;
  /** Pictures of the open part, in order. */
  #pictures: Picture[] = [];
  #partStart = 0;
  /** The stream's time at the start of the open part: the offset may change while it is open. */
  #partStreamMs = 0;
  #segmentStart = 0;
  /** The end of what was there before a keyframe that is waited for; null when none is. */
  #resumeTicks: number | null;
  #isAwaitingKeyframe = true;
  #waitingSounds: HlsFrame[] = [];
  /** The open segment began without a keyframe. */
  #isForced = false;
  #segmentPictures = 0;
  /** Pictures of the latest segment that ended with a keyframe behind it. */
  #usualPictures = Number.POSITIVE_INFINITY;

  constructor(plan: SegmentPlan, sounds: SoundQueue | null, sink: SegmenterSink, start: SegmenterStart) {
    this.#plan = plan;
    this.#sounds = sounds;
    this.#sink = sink;
    this.#clock = new VideoClock(plan.frameMs, plan.partTargetMs);
    this.#partTicksMax = plan.partTargetMs * TICKS_PER_MS;
    this.#offsetTicks = start.offsetTicks;
    this.#resumeTicks = start.atTicks;
  }

  get isSegmentEndLikely(): boolean {
    return this.#isAwaitingKeyframe || (this.#pictures.length === 0 && this.#segmentPictures >= this.#usualPictures);
  }

  get end(): SegmenterStart {
    return { offsetTicks: this.#offsetTicks, atTicks: this.#resumeTicks };
  }

  frame(frame: HlsFrame): void {
    if (frame.track === 'video') this.#takePicture(frame);
    else if (!this.#mustWait(frame)) this.#sounds?.push(frame.data, this.#toOutput(frame));
    else if (this.#waitingSounds.push(frame) > WAITING_SOUNDS_MAX) this.#waitingSounds.shift();
  }

  flush(): void {
    if (this.#isAwaitingKeyframe) return;
    const endTicks = Math.max(this.#clock.nextTicks ?? 0, this.#partStart);
    if (this.#pictures.length > 0) this.#closePart(endTicks, endTicks + this.#partTicksMax); // sound is a little ahead
    this.#usualPictures = Number.POSITIVE_INFINITY;
    this.#closeSegment(endTicks);
    this.#isAwaitingKeyframe = true;
    this.#resumeTicks = endTicks;
  }

  #toOutput(frame: HlsFrame): number {
    return frame.timestampMs * TICKS_PER_MS - this.#offsetTicks;
  }

  /** Sound after a flush, or after a pause of everything, waits for the picture that says how time goes on. */
  #mustWait(frame: HlsFrame): boolean {
    if (this.#isAwaitingKeyframe || this.#waitingSounds.length > 0) return true;
    const atTicks = this.#toOutput(frame);
    const soundTicks = this.#sounds?.endTicks ?? atTicks;
    return atTicks - Math.max(soundTicks, this.#clock.nextTicks ?? atTicks) > this.#partTicksMax;
  }

  #takeWaitingSounds(fromMs: number): void {
    const waiting = this.#waitingSounds;
    this.#waitingSounds = [];
    for (const sound of waiting) {
      if (sound.timestampMs >= fromMs) this.#sounds?.push(sound.data, this.#toOutput(sound));
    }
  }

  #takePicture(frame: HlsFrame): void {
    if (this.#isAwaitingKeyframe) {
      if (!frame.isKeyframe) {
        this.#sink.gap('before_keyframe');
        return;
      }
      this.#begin(frame);
    }
    const picture = this.#place(frame);
    if (this.#waitingSounds.length > 0) this.#takeWaitingSounds(0);
    this.#cutBefore(picture);
    this.#pictures.push(picture);
    this.#segmentPictures += 1;
    this.#closeIfFull(picture);
  }

  /** The first keyframe, or the first after a flush: it follows directly what was there before. */
  #begin(frame: HlsFrame): void {
    const atTicks = this.#toOutput(frame);
    const startTicks = this.#resumeTicks ?? Math.max(0, Math.round(atTicks));
    if (atTicks - startTicks > this.#partTicksMax) {
      this.#offsetTicks += Math.round(atTicks - startTicks);
      this.#sounds?.drop(); // sound that waited for a picture that did not come
    }
    this.#isAwaitingKeyframe = false;
    this.#partStart = startTicks;
    this.#partStreamMs = frame.timestampMs;
    this.#segmentStart = startTicks;
    this.#clock.beginAt(startTicks);
    this.#isForced = false;
    this.#segmentPictures = 0;
    this.#sounds?.beginAt(startTicks);
    this.#takeWaitingSounds(frame.timestampMs);
  }

  #place(frame: HlsFrame): Picture {
    let atTicks = this.#toOutput(frame);
    const pauseTicks = atTicks - (this.#clock.nextTicks ?? atTicks);
    if (pauseTicks > this.#partTicksMax && !this.#hasSoundUntil(atTicks)) {
      this.#offsetTicks += Math.round(pauseTicks);
      atTicks = this.#toOutput(frame);
      this.#sink.gap('closed_up');
      if (this.#pictures.length === 0) this.#partStreamMs = toStreamMs(this.#partStart, this.#offsetTicks);
    }
    const { picture, placement } = this.#clock.place(
      { data: frame.data, compositionOffsetTicks: frame.compositionMs * TICKS_PER_MS, isKeyframe: frame.isKeyframe },
      atTicks,
    );
    if (placement === 'late' || placement === 'pulled') this.#sink.gap('video_gap');
    return picture;
  }

  #hasSoundUntil(ticks: number): boolean {
    const endTicks = this.#sounds?.endTicks ?? null;
    return endTicks !== null && endTicks >= ticks - this.#partTicksMax;
  }

  /** Closes what ends before a picture begins. */
  #cutBefore(picture: Picture): void {
    for (;;) {
      const segmentLimit = this.#segmentStart + this.#plan.segmentMsMax * TICKS_PER_MS;
      const partLimit = this.#partStart + this.#partTicksMax;
      if (picture.dtsTicks <= Math.min(segmentLimit, partLimit)) break;
      if (segmentLimit <= partLimit) {
        this.#closeWithin(this.#partStart, segmentLimit, segmentLimit, picture);
        this.#closeSegment(this.#partStart);
        this.#isForced = true;
        this.#sink.gap('forced_cut');
      } else {
        const leastTicks = this.#partStart + this.#partTicksMax * PART_FILL_MIN;
        this.#closeWithin(leastTicks, partLimit, this.#partStart + this.#usualPartTicks(), picture);
      }
    }
    const ticks = picture.dtsTicks;
    if (picture.isKeyframe && this.#isDue(ticks)) {
      if (ticks > this.#partStart) this.#closePart(ticks);
      this.#usualPictures = this.#isForced ? Number.POSITIVE_INFINITY : this.#segmentPictures;
      this.#closeSegment(ticks);
    } else if (ticks - this.#partStart >= this.#closeFromTicks()) {
      this.#closePart(ticks);
    }
  }

  /** Closes the part where the latest picture within the bounds begins; else at `otherwise`, where `next` is decoded if it is near. */
  #closeWithin(fromTicks: number, toTicks: number, otherwise: number, next: Picture): void {
    const begun = this.#pictures.findLast(
      ({ dtsTicks }) => dtsTicks >= fromTicks && dtsTicks <= toTicks && dtsTicks > this.#partStart,
    );
    const endTicks = begun?.dtsTicks ?? otherwise;
    const last = this.#pictures.at(-1);
    if (begun === undefined && last !== undefined && next.dtsTicks - endTicks < this.#partTicksMax * EARLY_PARTS_MAX) {
      last.durationTicks = endTicks - last.dtsTicks;
      decodeEarlier(next, endTicks);
    }
    this.#closePart(endTicks);
  }

  /** A keyframe at `ticks` begins a segment. */
  #isDue(ticks: number): boolean {
    if (this.#segmentPictures === 0 || ticks < this.#partStart) return false;
    const lengthTicks = ticks - this.#segmentStart;
    return this.#isForced || lengthTicks >= (this.#plan.segmentMs - KEYFRAME_EARLY_MS_MAX) * TICKS_PER_MS;
  }

  /** What a part lasts when pictures come in time. */
  #usualPartTicks(): number {
    const { frameTicks } = this.#clock;
    const frames = framesPerPart(frameTicks / TICKS_PER_MS, this.#plan.partTargetMs);
    return frames === null ? this.#partTicksMax : Math.round(frames * frameTicks);
  }

  /** The part is whole when the next picture begins this long after its start. */
  #closeFromTicks(): number {
    const { frameTicks } = this.#clock;
    const leastTicks = this.#partTicksMax * PART_FILL_MIN;
    const frames = framesPerPart(frameTicks / TICKS_PER_MS, this.#plan.partTargetMs);
    return frames === null ? leastTicks : Math.max(leastTicks, (frames - 0.5) * frameTicks);
  }

  #closeIfFull(latest: Picture): void {
    if (!this.#clock.isSteady) return;
    const lengthTicks = latest.dtsTicks + latest.durationTicks - this.#partStart;
    if (framesPerPart(this.#clock.frameTicks / TICKS_PER_MS, this.#plan.partTargetMs) === null) return;
    if (lengthTicks < this.#closeFromTicks() || lengthTicks > this.#partTicksMax) return;
    this.#closePart(latest.dtsTicks + latest.durationTicks);
  }

  #closePart(endTicks: number, soundEndTicks: number = endTicks): void {
    const startTicks = this.#partStart;
    const streamStartMs = this.#partStreamMs;
    this.#partStart = endTicks;
    this.#partStreamMs = toStreamMs(endTicks, this.#offsetTicks);
    const rest = this.#pictures.findIndex(({ dtsTicks }) => dtsTicks >= endTicks);
    const pictures = rest === -1 ? this.#pictures : this.#pictures.slice(0, rest);
    this.#pictures = rest === -1 ? [] : this.#pictures.slice(rest);
    const lastOut = pictures.at(-1);
    if (lastOut !== undefined) this.#clock.sent(lastOut);
    this.#sounds?.fill(startTicks, endTicks);
    const audio = this.#sounds?.take(soundEndTicks) ?? null;
    const first = pictures[0];
    if (first === undefined && audio === null) return; // a pause of both: the list is short by it
    this.#sink.part({
      startTicks,
      endTicks,
      isIndependent: first?.isKeyframe === true,
      video: first === undefined ? null : { baseDecodeTimeTicks: first.dtsTicks, samples: pictures.map(toSample) },
      audio,
      streamStartMs,
    });
  }

  #closeSegment(endTicks: number): void {
    this.#sink.segmentEnd();
    this.#partStart = Math.max(this.#partStart, endTicks);
    this.#segmentStart = this.#partStart;
    this.#segmentPictures = this.#pictures.length;
    this.#isForced = false;
  }
}

function toSample(picture: Picture): Fmp4Sample {
  const { data, durationTicks, compositionOffsetTicks, isKeyframe } = picture;
  return { data, durationTicks, compositionOffsetTicks, isKeyframe };
}
