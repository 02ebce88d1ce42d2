import { AAC_FRAME_SAMPLES, type Fmp4Sample, readFlvAudioHeader, readFlvVideoHeader } from '@showfloor/media-formats';
import type { MediaPacket } from '../hub/media-packet.ts';
import { type RecordedTrack, recordedTrackOf } from './recorded-track.ts';

/** A fragment ends before the keyframe that follows it, and after this anyway: so much is lost with the process. */
export const FRAGMENT_MS_MAX = 1_000;
/** Streams with a keyframe more often than this share a fragment, so that files of single pictures do not explode. */
const FRAGMENT_MS_MIN = 500;
/** A fragment over this is cut at once, wherever it stands. */
export const FRAGMENT_BYTES_MAX = 4 * 1024 * 1024;
const FRAME_MS_DEFAULT = 33;
/** Sound counts its own samples while it stays this close to its timestamps, which are rounded to ms. */
const AUDIO_SLACK_MS = 20;

/** Samples of one track that follow each other, on the stream's timeline. */
export type TrackRun = Readonly<{ recorded: RecordedTrack; baseTicks: number; samples: readonly Fmp4Sample[] }>;

/** A fragment that is whole. Times in ms on the stream's timeline; samples are views into the packets. */
export type AssembledFragment = Readonly<{
  runs: readonly TrackRun[];
  /** All tracks known at its end, the picture first: more may have a header than have samples in it. */
  tracks: readonly RecordedTrack[];
  startMs: number;
  endMs: number;
  payloadBytes: number;
}>;

type Waiting = { data: Uint8Array; ticks: number; compositionOffsetTicks: number; isKeyframe: boolean };

/** One track between two cuts. */
class TrackBuffer {
  readonly recorded: RecordedTrack;
  readonly #waiting: Waiting[] = [];
  /** Of the last sample of a cut, when nothing tells how long it lasts. */
  #frameTicks: number;
  #nextTicks = 0;

  constructor(recorded: RecordedTrack) {
    this.recorded = recorded;
    const { track } = recorded;
    this.#frameTicks = track.kind === 'audio' ? AAC_FRAME_SAMPLES : FRAME_MS_DEFAULT;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(timestampMs: number, data: Uint8Array, compositionTimeMs: number, isKeyframe: boolean): void {
    const { kind, timescale } = this.recorded.track;
    const given = Math.round((timestampMs * timescale) / 1_000);
    const isClose = kind === 'audio' && Math.abs(given - this.#nextTicks) * 1_000 <= AUDIO_SLACK_MS * timescale;
    const last = this.#waiting.at(-1);
    const ticks = Math.max(isClose ? this.#nextTicks : given, last === undefined ? 0 : last.ticks + 1);
    this.#waiting.push({
      data,
      ticks,
      compositionOffsetTicks: Math.round((compositionTimeMs * timescale) / 1_000),
      isKeyframe,
    });
    this.#nextTicks = ticks + AAC_FRAME_SAMPLES;
  }

  /** Empties itself. `followingMs` is when the next sample of this track begins, if that is known. */
  take(followingMs: number | null): TrackRun {
    const { kind, timescale } = this.recorded.track;
    const following = kind === 'audio' || followingMs === null ? null : Math.round((followingMs * timescale) / 1_000);
    const samples = this.#waiting.map(({ data, ticks, compositionOffsetTicks, isKeyframe }, index): Fmp4Sample => {
      const next = this.#waiting[index + 1]?.ticks ?? following;
      const durationTicks = next !== null && next > ticks ? next - ticks : this.#frameTicks;
      // what a picture lasts; not what a gap does, nor a sound, which always lasts the same
      if (kind === 'video' && durationTicks <= timescale) this.#frameTicks = durationTicks;
      return { data, durationTicks, compositionOffsetTicks, isKeyframe };
    });
    const baseTicks = this.#waiting[0]?.ticks ?? 0;
    this.#waiting.length = 0;
    return { recorded: this.recorded, baseTicks, samples };
  }
}

/**
 * Gathers packets into fragments: one per GOP, at most {@link FRAGMENT_MS_MAX} long. Pictures begin at a keyframe. Pure: what
 * completes a fragment returns it.
 */
export class FragmentAssembler {
  readonly #buffers: { video: TrackBuffer | null; audio: TrackBuffer | null } = { video: null, audio: null };
  #isAwaitingKeyframe = true;
  #startMs: number | null = null;
  #payloadBytes = 0;

  /** True when something would be written of what the publisher sends. */
  get hasTracks(): boolean {
    return this.#buffers.video !== null || this.#buffers.audio !== null;
  }

  /** A sequence header. False in `isRecorded`: frames of its codec will be left out. */
  header(packet: MediaPacket): Readonly<{ completed: AssembledFragment | null; isRecorded: boolean }> {
    if (packet.track === 'script') return { completed: null, isRecorded: true };
    const recorded = recordedTrackOf(packet);
    if (recorded !== null && recorded.key === this.#buffers[packet.track]?.recorded.key) {
      return { completed: null, isRecorded: true };
    }
    // A track that was not there before joins the fragment under way: encoders send their headers one after the other.
    const completed = this.#buffers[packet.track] === null ? null : this.flush();
    this.#buffers[packet.track] = recorded === null ? null : new TrackBuffer(recorded);
    if (packet.track === 'video') this.#isAwaitingKeyframe = true;
    return { completed, isRecorded: recorded !== null };
  }

  /** A frame. Returns the fragment that ends before it. */
  frame(packet: MediaPacket): AssembledFragment | null {
    const { track, timestampMs, payload } = packet;
    const buffer = track === 'script' ? null : this.#buffers[track];
    if (buffer === null) return null;
    if (track === 'video' && this.#isAwaitingKeyframe && !packet.isKeyframe) return null;
    const completed = this.#isCutBefore(packet) ? this.#cut(track === 'video' ? timestampMs : null) : null;
    const header = track === 'video' ? readFlvVideoHeader(payload) : readFlvAudioHeader(payload);
    const data = payload.subarray(header.dataOffset);
    if (data.length === 0) return completed;
    if (track === 'video') this.#isAwaitingKeyframe = false;
    const compositionTimeMs = 'compositionTimeMs' in header ? header.compositionTimeMs : 0;
    buffer.add(timestampMs, data, compositionTimeMs, track === 'audio' || packet.isKeyframe);
    this.#startMs ??= timestampMs;
    this.#payloadBytes += data.length;
    return completed;
  }

  /** What is there, although nothing completes it: the publisher is gone. */
  flush(): AssembledFragment | null {
    return this.#cut(null);
  }

  #isCutBefore({ track, timestampMs, isKeyframe }: MediaPacket): boolean {
    const lengthMs = this.#startMs === null ? 0 : timestampMs - this.#startMs;
    if (track === 'video' && isKeyframe && lengthMs >= FRAGMENT_MS_MIN) return true;
    return lengthMs >= FRAGMENT_MS_MAX || this.#payloadBytes >= FRAGMENT_BYTES_MAX;
  }

  #cut(followingVideoMs: number | null): AssembledFragment | null {
    const buffers = [this.#buffers.video, this.#buffers.audio].filter((buffer) => buffer !== null);
    const runs = buffers.filter((buffer) => !buffer.isEmpty).map((buffer) => buffer.take(followingVideoMs));
    const payloadBytes = this.#payloadBytes;
    this.#startMs = null;
    this.#payloadBytes = 0;
    if (runs.length === 0) return null;
    const spans = runs.map(spanOf);
    return {
      runs,
      tracks: buffers.map(({ recorded }) => recorded),
      startMs: Math.min(...spans.map((span) => span.startMs)),
      endMs: Math.max(...spans.map((span) => span.endMs)),
      payloadBytes,
    };
  }
}

function spanOf({ recorded, baseTicks, samples }: TrackRun): { startMs: number; endMs: number } {
  const toMs = 1_000 / recorded.track.timescale;
  const durationTicks = samples.reduce((sum, sample) => sum + sample.durationTicks, 0);
  return { startMs: baseTicks * toMs, endMs: (baseTicks + durationTicks) * toMs };
}
