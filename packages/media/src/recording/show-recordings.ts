import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@showfloor/service-kit';
import type { Stream } from '../hub/stream.ts';
import type { Admission } from '../hub/stream-hub.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import { QueueBudget } from './queue-budget.ts';
import { RECORDING_LIMITS, type RecordingLimits } from './recording-limits.ts';
import { type FinishedRecording, type RecordingFacts, ShowRecorder } from './show-recorder.ts';
import { WriteLanes } from './write-lanes.ts';

/** A show id that may name a folder. */
const SHOW_ID = /^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$/;
/** How long the disk may take to finish files while the process stops. They can be played anyway. */
const CLOSE_MS_MAX = 5_000;

/** Where shows are recorded. */
export type RecordingOptions = Readonly<{
  /** Holds one folder per show, named by its id. */
  folder: string;
  limits?: Partial<RecordingLimits>;
}>;

type Entry = { readonly stream: Stream; readonly showId: string; readonly recorder: ShowRecorder };

/** The recorders of all streams on air. */
export class ShowRecordings {
  readonly #options: RecordingOptions & {
    metrics: MediaMetrics;
    log: Logger;
    onFinished: (recording: FinishedRecording) => void;
  };
  readonly #limits: RecordingLimits;
  readonly #lanes = new WriteLanes();
  readonly #budget: QueueBudget;
  /** By playback id; an entry stays until its stream ends, so that a recording that stopped is seen. */
  readonly #entries = new Map<string, Entry>();
  /** By show id: when its folder is free again. */
  readonly #writing = new Map<string, Promise<void>>();

  constructor(
    options: RecordingOptions & {
      metrics: MediaMetrics;
      log: Logger;
      onFinished: (recording: FinishedRecording) => void;
    },
  ) {
    this.#options = options;
    this.#limits = { ...RECORDING_LIMITS, ...options.limits };
    this.#budget = new QueueBudget(this.#limits.totalQueueBytesMax);
  }

  /** A stream goes on air. */
  start(stream: Stream, admission: Admission): void {
    if (admission.recording.isEnabled) this.#record(stream, admission.showId);
  }

  /** A publisher returned: recording may have been switched on or off. A recording that stopped by itself stays stopped. */
  readmitted(stream: Stream, admission: Admission): void {
    const entry = this.#entries.get(stream.playbackId);
    if (!admission.recording.isEnabled) entry?.recorder.stop('disabled');
    else if (entry === undefined || entry.recorder.facts.reason === 'disabled') this.#record(stream, admission.showId);
  }

  /** What is known of the recording of a stream on air; null when it is not recorded. */
  facts(playbackId: string): RecordingFacts | null {
    return this.#entries.get(playbackId)?.recorder.facts ?? null;
  }

  /** Finishes all files, as far as the disk allows in {@link CLOSE_MS_MAX}. */
  async close(): Promise<void> {
    for (const { recorder } of this.#entries.values()) recorder.close();
    const abort = new AbortController();
    const deadline = sleep(CLOSE_MS_MAX, undefined, { signal: abort.signal }).catch(() => undefined); // not needed
    await Promise.race([Promise.all(this.#writing.values()), deadline]);
    abort.abort();
  }

  #record(stream: Stream, showId: string): void {
    const { folder, metrics, log, onFinished } = this.#options;
    const { playbackId } = stream;
    this.#forgetEnded();
    if (!SHOW_ID.test(showId)) {
      metrics.recordingStops.inc({ reason: 'show_id' });
      log.error({ playbackId }, 'recording.refused');
      return;
    }
    const recorder = new ShowRecorder(stream, {
      showId,
      folder: join(folder, showId),
      limits: this.#limits,
      lanes: this.#lanes,
      budget: this.#budget,
      metrics,
      log,
      onFinished,
      after: this.#writing.get(showId) ?? Promise.resolve(),
    });
    this.#entries.set(playbackId, { stream, showId, recorder });
    this.#writing.set(showId, recorder.done);
    void recorder.done.then(() => {
      if (this.#writing.get(showId) === recorder.done) this.#writing.delete(showId);
      this.#forgetEnded();
    });
  }

  #forgetEnded(): void {
    for (const [playbackId, { stream }] of this.#entries)
      if (stream.state === 'ended') this.#entries.delete(playbackId);
  }
}
