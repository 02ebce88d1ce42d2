import type { Logger } from '@showfloor/service-kit';
import type { MediaPacket } from '../hub/media-packet.ts';
import type { Stream, StreamOutput } from '../hub/stream.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import { type AssembledFragment, FragmentAssembler } from './fragment-assembler.ts';
import type { QueueBudget } from './queue-budget.ts';
import { type RecordingLimits, type RecordingStop, stopReasonOf } from './recording-limits.ts';
import { freePercent, makeShowFolder, type OpenPart, openPart } from './show-folder.ts';
import type { WriteLanes } from './write-lanes.ts';

/** How often room is looked after and what was written is made safe against the loss of power. */
const CHECK_INTERVAL_MS = 5_000;
/** What a sample occupies beside its bytes: a publisher may send sounds of one byte. */
const SAMPLE_OVERHEAD_BYTES = 256;

/** `waiting`: nothing to write yet. `stopped`: before the show's end, see `reason`. */
export type RecordingState = 'waiting' | 'recording' | 'finished' | 'stopped';

/** What is known of a show's recording; for the control API. */
export type RecordingFacts = Readonly<{
  showId: string;
  state: RecordingState;
  reason: RecordingStop | null;
  /** The file that is written now, or was last: its name in the show's folder. */
  file: string | null;
  /** Size of that file. */
  bytes: number;
  durationMs: number;
  /** Memory of what waits for the disk. */
  queueBytes: number;
}>;

/** A file to which nothing will be added unless the show goes on after all. */
export type FinishedRecording = Readonly<{
  showId: string;
  playbackId: string;
  /** Name in the show's folder. */
  file: string;
  bytes: number;
  durationMs: number;
}>;

export type ShowRecorderOptions = Readonly<{
  showId: string;
  /** The show's own folder; made when there is something to write. */
  folder: string;
  limits: RecordingLimits;
  lanes: WriteLanes;
  /** Shared by all recorders. */
  budget: QueueBudget;
  metrics: MediaMetrics;
  log: Logger;
  /** Called when the show is over or the recording stopped, once for each file of this run. Not when the process stops. */
  onFinished: (recording: FinishedRecording) => void;
  /** Resolves when the recorder before has let the folder go. */
  after: Promise<void>;
}>;

/**
 * Writes one show to disk as it happens. The stream is never held up: what the disk has not taken waits in a bounded queue, and
 * when that is full, or the disk is, the recording stops. Attaches itself; lives until the stream ends or `close`.
 */
export class ShowRecorder implements StreamOutput {
  /** Resolves when the last file is closed; never rejects. */
  readonly done: Promise<void>;
  readonly #stream: Stream;
  readonly #options: ShowRecorderOptions;
  readonly #assembler = new FragmentAssembler();
  readonly #queue: AssembledFragment[] = [];
  #queueBytes = 0;
  #part: OpenPart | null = null;
  #lastFile: Pick<RecordingFacts, 'file' | 'bytes' | 'durationMs'> = { file: null, bytes: 0, durationMs: 0 };
  #state: RecordingState = 'waiting';
  #reason: RecordingStop | null = null;
  /** Nothing more will be offered. */
  #isEnding = false;
  #isProcessStopping = false;
  /** Told of once: a publisher may repeat its headers without end. */
  readonly #unsupported = new Set<MediaPacket['track']>();
  #isWriting = true;
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #settle: () => void = () => undefined;

  constructor(stream: Stream, options: ShowRecorderOptions) {
    this.#stream = stream;
    this.#options = options;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
    options.metrics.recordingsActive.inc();
    const { video, audio } = stream.headers;
    for (const header of [video, audio]) if (header !== null) this.packet(header);
    stream.attach(this);
    void this.#begin(); // never rejects
  }

  get facts(): RecordingFacts {
    const part = this.#part;
    const file =
      part === null ? this.#lastFile : { file: part.name, bytes: part.file.bytes, durationMs: part.file.durationMs };
    const { showId } = this.#options;
    return { showId, state: this.#state, reason: this.#reason, ...file, queueBytes: this.#queueBytes };
  }

  packet(packet: MediaPacket): void {
    switch (packet.kind) {
      case 'sequence-header': {
        const { completed, isRecorded } = this.#assembler.header(packet);
        this.#offer(completed);
        if (isRecorded) return;
        this.#options.metrics.recordingUnsupportedTracks.inc({ track: packet.track });
        if (this.#unsupported.has(packet.track)) return;
        this.#unsupported.add(packet.track);
        this.#options.log.warn({ showId: this.#options.showId, track: packet.track }, 'recording.track_unsupported');
        return;
      }
      case 'frames':
        this.#offer(this.#assembler.frame(packet));
        return;
      case 'end-of-sequence':
      case 'other':
        return;
    }
  }

  /** A track that is missing is a track without samples: the file goes on. */
  tracksChanged(): void {}

  interrupted(): void {
    this.#offer(this.#assembler.flush());
  }

  resumed(): void {}

  ended(): void {
    this.#end();
  }

  /** Stops before the show does. */
  stop(reason: RecordingStop): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    if (reason !== 'disabled') this.#dropQueue();
    const { metrics, log, showId } = this.#options;
    metrics.recordingStops.inc({ reason });
    const { file, bytes } = this.facts;
    log[reason === 'disabled' ? 'info' : 'error']({ showId, reason, file, bytes }, 'recording.stopped');
    this.#end();
  }

  /** The process stops: what is there is written; nobody is told that the recording is over, for the show is not. */
  close(): void {
    this.#isProcessStopping = true;
    this.#end();
  }

  #end(): void {
    if (this.#isEnding) return;
    if (this.#reason === null || this.#reason === 'disabled') this.#offer(this.#assembler.flush());
    if (this.#isEnding) return; // the last fragment was one too many
    this.#isEnding = true;
    this.#stream.detach(this);
    this.#continueWriting();
  }

  #offer(fragment: AssembledFragment | null): void {
    if (fragment === null || this.#isEnding) return;
    const bytes = memoryOf(fragment);
    const { limits, budget } = this.#options;
    if (this.#queueBytes + bytes > limits.queueBytesMax || !budget.take(bytes)) {
      this.stop('queue_full');
      return;
    }
    this.#queue.push(fragment);
    this.#countQueue(bytes);
    this.#continueWriting();
  }

  async #begin(): Promise<void> {
    await this.#options.after;
    this.#isWriting = false;
    this.#continueWriting();
  }

  #continueWriting(): void {
    if (!this.#isWriting) void this.#write(); // never rejects
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    for (;;) {
      const fragment = this.#queue[0];
      if (fragment === undefined) break;
      try {
        await this.#options.lanes.run(() => this.#writeOne(fragment));
      } catch (error) {
        this.#failed(error);
        break;
      }
      if (this.#queue[0] !== fragment) continue; // dropped meanwhile
      this.#queue.shift();
      this.#giveBack(memoryOf(fragment));
    }
    if (this.#isEnding) await this.#finish();
    else this.#isWriting = false;
  }

  #failed(error: unknown): void {
    const { log, showId } = this.#options;
    log.warn({ showId, err: error }, 'recording.write_failed');
    this.stop(stopReasonOf(error));
    this.#dropQueue(); // also when it had been stopped before
  }

  async #writeOne(fragment: AssembledFragment): Promise<void> {
    const { limits, metrics } = this.#options;
    const written = fragment.runs.map(({ recorded }) => recorded);
    if (this.#part !== null && !this.#part.file.holds(written)) await this.#leavePart(this.#part);
    if (await this.#isLow()) {
      this.stop('disk_low');
      return;
    }
    this.#part ??= await this.#enterPart(fragment);
    if (this.#part === null) {
      this.stop('parts_max');
      return;
    }
    const { file, otherPartsBytes } = this.#part;
    if (otherPartsBytes + file.bytes + fragment.payloadBytes > limits.showBytesMax) {
      this.stop('bytes_max');
      return;
    }
    const startedMs = performance.now();
    metrics.recordedBytes.inc(await file.append(fragment));
    metrics.recordingWriteSeconds.observe((performance.now() - startedMs) / 1_000);
    metrics.recordedFragments.inc();
  }

  async #enterPart(fragment: AssembledFragment): Promise<OpenPart | null> {
    const { folder, limits, log, showId } = this.#options;
    const part = await openPart(folder, fragment.tracks, limits.partsMax);
    if (part === null) return null;
    const { name, isContinued, file } = part;
    log.info({ showId, file: name, isContinued, cutBytes: file.cutBytes, bytes: file.bytes }, 'recording.started');
    this.#state = 'recording';
    return part;
  }

  /** True when there is too little room; also syncs, both at intervals. */
  async #isLow(): Promise<boolean> {
    const nowMs = performance.now();
    if (nowMs - this.#checkedAtMs < CHECK_INTERVAL_MS) return false;
    this.#checkedAtMs = nowMs;
    const { folder, limits } = this.#options;
    if (this.#part === null) await makeShowFolder(folder);
    else await this.#part.file.sync();
    return (await freePercent(folder)) < limits.freePercentMin;
  }

  async #leavePart(part: OpenPart): Promise<void> {
    this.#part = null;
    const { log, showId, metrics } = this.#options;
    const { name, file } = part;
    try {
      await file.discardTorn();
      await file.seal();
    } catch (error) {
      // without an index it plays as well; half of one would be in the way
      log.warn({ showId, file: name, err: error }, 'recording.unsealed');
      metrics.recordingUnsealed.inc();
      await file.discardTorn().catch(() => undefined);
    }
    await file.close().catch(() => undefined); // nothing is left to lose
    const { bytes, durationMs } = file;
    this.#lastFile = { file: name, bytes, durationMs };
    log.info({ showId, ...this.#lastFile }, 'recording.closed');
    if (this.#isProcessStopping) return;
    this.#options.onFinished({ showId, playbackId: this.#stream.playbackId, file: name, bytes, durationMs });
  }

  async #finish(): Promise<void> {
    const part = this.#part;
    if (part !== null) await this.#options.lanes.run(() => this.#leavePart(part));
    this.#state = this.#reason === null ? 'finished' : 'stopped';
    this.#options.metrics.recordingsActive.dec();
    this.#settle();
  }

  #dropQueue(): void {
    this.#options.metrics.recordingDroppedFragments.inc(this.#queue.length);
    this.#queue.length = 0;
    this.#giveBack(this.#queueBytes);
  }

  #giveBack(bytes: number): void {
    this.#options.budget.give(bytes);
    this.#countQueue(-bytes);
  }

  #countQueue(bytes: number): void {
    this.#queueBytes += bytes;
    this.#options.metrics.recordingQueueBytes.inc(bytes);
  }
}

/** What a fragment occupies while it waits. */
function memoryOf({ runs, payloadBytes }: AssembledFragment): number {
  return runs.reduce((bytes, { samples }) => bytes + samples.length * SAMPLE_OVERHEAD_BYTES, payloadBytes);
}
