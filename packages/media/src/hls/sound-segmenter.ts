/** Cuts a stream of sound alone: parts by AAC frames, segments by time. A gap is closed up. */
import { HLS_TIMESCALE, TICKS_PER_MS } from './part-plan.ts';
import type { HlsFrame, PartRun, Segmenter, SegmenterSink, SegmenterStart, SegmentPlan } from './segmenter.ts';
import { toStreamMs } from './segmenter.ts';
import { type SoundFormat, SoundQueue } from './sound-queue.ts';

/** See the file. */
export class SoundSegmenter implements Segmenter {
  readonly #format: SoundFormat;
  readonly #plan: SegmentPlan;
  readonly #sink: SegmenterSink;
  readonly #sounds: SoundQueue;
  readonly #framesPerPart: number;
  #offsetTicks: number;
  #resumeTicks: number | null;
  #isOpen = false;
  #segmentTicks = 0;

  constructor(format: SoundFormat, plan: SegmentPlan, sink: SegmenterSink, start: SegmenterStart) {
    this.#format = format;
    this.#plan = plan;
    this.#sink = sink;
    this.#sounds = new SoundQueue(format, sink.gap);
    this.#framesPerPart = Math.max(1, Math.floor(plan.partTargetMs / plan.frameMs));
    this.#offsetTicks = start.offsetTicks;
    this.#resumeTicks = start.atTicks;
  }

  /** Every part is where it is expected: the end of a segment is known. */
  get isSegmentEndLikely(): boolean {
    return this.#segmentTicks === 0;
  }

  get end(): SegmenterStart {
    return { offsetTicks: this.#offsetTicks, atTicks: this.#resumeTicks };
  }

  frame(frame: HlsFrame): void {
    if (frame.track === 'video') return;
    const dueTicks = this.#sounds.endTicks ?? this.#resumeTicks;
    let atTicks = frame.timestampMs * TICKS_PER_MS - this.#offsetTicks;
    if (dueTicks !== null && (!this.#isOpen || atTicks - dueTicks > this.#plan.partTargetMs * TICKS_PER_MS)) {
      if (this.#isOpen) this.#sink.gap('closed_up');
      this.#offsetTicks += Math.round(atTicks - dueTicks);
      atTicks = dueTicks;
    }
    this.#isOpen = true;
    this.#sounds.push(frame.data, atTicks);
    const run = this.#sounds.takeExactly(this.#framesPerPart);
    if (run !== null) this.#emit(run);
  }

  flush(): void {
    if (!this.#isOpen) return;
    const run = this.#sounds.takeAll();
    if (run !== null) this.#emit(run);
    if (this.#segmentTicks > 0) this.#endSegment();
    this.#isOpen = false;
    this.#resumeTicks = this.#sounds.endTicks;
  }

  #emit(run: PartRun): void {
    const startTicks = this.#toTicks(run.baseDecodeTimeTicks);
    const samples = run.samples.reduce((sum, { durationTicks }) => sum + durationTicks, 0);
    const endTicks = this.#toTicks(run.baseDecodeTimeTicks + samples);
    this.#sink.part({
      startTicks,
      endTicks,
      isIndependent: true,
      video: null,
      audio: run,
      streamStartMs: toStreamMs(startTicks, this.#offsetTicks),
    });
    this.#segmentTicks += endTicks - startTicks;
    const frameTicks = this.#toTicks(this.#format.frameSamples);
    if (this.#segmentTicks >= this.#plan.segmentMs * TICKS_PER_MS - frameTicks / 2) this.#endSegment();
  }

  #endSegment(): void {
    this.#segmentTicks = 0;
    this.#sink.segmentEnd();
  }

  #toTicks(samples: number): number {
    return Math.round((samples * HLS_TIMESCALE) / this.#format.sampleRateHz);
  }
}
