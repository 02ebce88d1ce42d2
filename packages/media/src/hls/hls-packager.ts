import { randomBytes } from 'node:crypto';
import { readFlvAudioHeader, readFlvVideoHeader } from '@showfloor/media-formats';
import type { MediaPacket } from '../hub/media-packet.ts';
import type { Stream, StreamOutput } from '../hub/stream.ts';
import type { HlsMetrics } from './hls-metrics.ts';
import type { HlsOptions } from './hls-options.ts';
import { HlsPublisher, type HlsTargets, type HlsWindow } from './hls-publisher.ts';
import { type HlsAudio, type HlsProblem, type HlsTracks, readHlsAudio, readHlsVideo } from './hls-tracks.ts';
import { OPENING_MS_MAX, Opening, type Verdict } from './opening.ts';
import { measureFrameMs, partTargetMsOf, segmentTargets } from './part-plan.ts';
import { PictureSegmenter } from './picture-segmenter.ts';
import type { HlsObject } from './segment-store.ts';
import type { HlsFrame, MediaPart, Segmenter, SegmenterSink, SegmenterStart, SegmentPlan } from './segmenter.ts';
import { silentAacFrame } from './silent-aac.ts';
import { SoundQueue } from './sound-queue.ts';
import { SoundSegmenter } from './sound-segmenter.ts';

export type { HlsWindow } from './hls-publisher.ts';
export type { HlsProblem } from './hls-tracks.ts';
export type { HlsObject } from './segment-store.ts';

export type HlsPackagerOptions = Readonly<{
  hls: HlsOptions;
  metrics: HlsMetrics;
  /** Bytes the stream may keep now, asked whenever it grows by a segment; `hls.bytesMax` when not given. */
  bytesMax?: () => number;
  /** First media sequence number, above all of earlier runs; the first discontinuity number follows from it. */
  firstSequence: number;
}>;

const RUN_ID_BYTES = 5;
/** How fast the earliest arrival is forgotten that parts are measured against: publishers' clocks drift. */
const BASELINE_RISE = 1 / 1_000;

/**
 * Cuts one stream into CMAF segments and parts, kept in memory. Attaches itself to the stream; `dispose` detaches. Pictures and
 * sound travel in the same segments; parts are cut at pictures.
 */
export class HlsPackager implements StreamOutput {
  readonly #stream: Stream;
  readonly #hls: HlsOptions;
  readonly #metrics: HlsMetrics;
  readonly #publisher: HlsPublisher;
  #opening: Opening | null;
  #segmenter: Segmenter | null = null;
  #tracks: HlsTracks = { video: null, audio: null };
  #targets: HlsTargets | null = null;
  #videoProblem: HlsProblem | null = null;
  #audioProblem: HlsProblem | null = null;
  /** Headers that came and are not in the init segment yet. */
  #isStale = { video: false, audio: false };
  #hasSoundWaiting = false;
  #lastPictureMs = 0;
  #isEnded = false;
  #segmentEndedAtMs: number;
  #arrival: { atMs: number; timestampMs: number; leastDelayMs: number } | null = null;

  constructor(stream: Stream, options: HlsPackagerOptions) {
    const { hls, metrics, firstSequence } = options;
    this.#stream = stream;
    this.#hls = hls;
    this.#metrics = metrics;
    const bytesMax = options.bytesMax ?? (() => hls.bytesMax);
    this.#publisher = new HlsPublisher({
      hls,
      bytesMax,
      metrics,
      firstSequence,
      runId: randomBytes(RUN_ID_BYTES).toString('hex'),
      playbackId: stream.playbackId,
      wallClockAt: (streamMs) => stream.wallClockAt(streamMs),
    });
    this.#opening = new Opening(hls.segmentMs, hls.bytesMax, () => metrics.hlsEvictions.inc({ what: 'opening' }));
    this.#segmentEndedAtMs = performance.now();
    const { video, audio } = stream.headers;
    if (video !== null) this.#takeHeader(video, 'video');
    if (audio !== null) this.#takeHeader(audio, 'audio');
    stream.attach(this);
  }

  /** Null until the first segment is whole. */
  get window(): HlsWindow | null {
    return this.#publisher.window;
  }

  /**
   * Null while everything that the publisher sends is in the segments. With a problem of its video a stream has no HLS; with one of
   * its audio it has pictures only, and none when it has no pictures (said as soon as it is known that there is nothing to wait for).
   */
  get problem(): HlsProblem | null {
    if (this.#videoProblem !== null) return this.#videoProblem;
    const isOpening = this.window === null && this.#stream.headers.video !== null;
    return isOpening ? null : this.#audioProblem;
  }

  /** Bytes of media in memory. */
  get retainedBytes(): number {
    return this.#publisher.bytes + (this.#opening?.bytes ?? 0);
  }

  /** Sequence numbers up to and with this one are this run's: the run after it begins above. */
  get numbersTaken(): number {
    return this.#publisher.numbersTaken;
  }

  /** Time since a segment was finished, or since the start. */
  segmentAgeMs(nowMs: number): number {
    return nowMs - this.#segmentEndedAtMs;
  }

  /** `name` is what follows `/live/{id}/`. 'pending': the hinted next part, or the first part of the next segment. */
  object(name: string): HlsObject | 'pending' | undefined {
    return this.#publisher.object(name);
  }

  /** Calls back after every change of `window`, synchronously: do little. Returns the unsubscribe. */
  onChange(listener: () => void): () => void {
    return this.#publisher.onChange(listener);
  }

  /** Lets everything go. Listeners are not called again. */
  dispose(): void {
    this.#stream.detach(this);
    this.#publisher.clear();
    this.#opening = null;
    this.#segmenter = null;
  }

  packet(packet: MediaPacket): void {
    if (this.#isEnded || packet.track === 'script') return;
    if (packet.kind === 'sequence-header') this.#takeHeader(packet, packet.track);
    if (packet.kind !== 'frames') return;
    const frame = packet.track === 'video' ? this.#readPicture(packet) : this.#readSound(packet);
    if (frame === null) return;
    this.#noteArrival(frame);
    if (this.#segmenter === null) this.#open(frame);
    else this.#feed(frame);
    this.#publish();
  }

  tracksChanged(): void {
    const { video, audio } = this.#stream.headers;
    if (this.#segmenter === null) return;
    if (video === null && this.#tracks.video !== null) this.#goOnWithSound();
    // Without sound it goes on in silence, if there is silence for its codec: players cannot let go of a track.
    else if (audio === null && this.#tracks.audio !== null && silenceOf(this.#tracks.audio) === null) {
      this.#isStale.audio = true;
    }
    this.#publish();
  }

  interrupted(): void {
    this.#cut();
  }

  sourceChanged(): void {
    this.#cut(); // the wall clock jumps here, and each segment names its own
  }

  resumed(): void {
    this.#arrival = null;
    this.#segmentEndedAtMs = performance.now();
  }

  ended(): void {
    this.#segmenter?.flush();
    this.#isEnded = true;
    this.#publisher.end();
    this.#publish();
  }

  #cut(): void {
    this.#segmenter?.flush();
    this.#publish();
  }

  #noteArrival({ timestampMs }: HlsFrame): void {
    const atMs = performance.now();
    const delayMs = atMs - timestampMs;
    const before = this.#arrival;
    const risenMs = before === null ? delayMs : before.leastDelayMs + (atMs - before.atMs) * BASELINE_RISE;
    this.#arrival = { atMs, timestampMs, leastDelayMs: Math.min(risenMs, delayMs) };
  }

  #readPicture(packet: MediaPacket): HlsFrame | null {
    const { codec, compositionTimeMs, dataOffset } = readFlvVideoHeader(packet.payload);
    if (codec !== 'avc' && codec !== 'hevc') this.#videoProblem = 'video_codec';
    if (this.#videoProblem !== null) return null;
    const data = packet.payload.subarray(dataOffset);
    if (data.length === 0) return null;
    const { timestampMs, isKeyframe } = packet;
    return { track: 'video', timestampMs, compositionMs: compositionTimeMs, isKeyframe, data };
  }

  #readSound(packet: MediaPacket): HlsFrame | null {
    const { codec, dataOffset } = readFlvAudioHeader(packet.payload);
    if (codec !== 'aac') this.#audioProblem = 'audio_codec';
    const data = packet.payload.subarray(dataOffset);
    if (this.#audioProblem !== null || data.length === 0) return null;
    return { track: 'audio', timestampMs: packet.timestampMs, compositionMs: 0, isKeyframe: true, data };
  }

  /** A header that says what is known already (the same encoder came back) changes nothing. */
  #takeHeader(header: MediaPacket, track: 'video' | 'audio'): void {
    const read = track === 'video' ? readHlsVideo(header) : readHlsAudio(header);
    const problem = typeof read === 'string' ? read : null;
    if (track === 'video') this.#videoProblem = problem;
    else this.#audioProblem = problem;
    const isUndecodable = problem !== null && track === 'video';
    if (isUndecodable || this.#opening?.has(track) === true) this.#opening?.clear(); // what is kept is not of this header
    const known = this.#tracks[track]?.track.config;
    const isKnown = typeof read !== 'string' && known !== undefined && Buffer.compare(known, read.track.config) === 0;
    this.#isStale[track] = !isKnown;
  }

  #open(frame: HlsFrame): void {
    const { video, audio } = this.#stream.headers;
    if (this.#videoProblem !== null || this.#opening === null) return;
    if (frame.track === 'audio' ? audio === null : video === null) return;
    const verdict = this.#opening.push(frame, video !== null);
    if (verdict === null) return;
    this.#opening = null;
    this.#begin(verdict);
  }

  #begin(verdict: Verdict): void {
    const tracks = this.#tracksOf(verdict.kind);
    const { segmentMs, partMs } = this.#hls;
    if (verdict.kind === 'picture') {
      const times = verdict.frames.filter(({ track }) => track === 'video').map(({ timestampMs }) => timestampMs);
      this.#lastPictureMs = times[0] ?? 0; // sound may come before it
      const frameMs = measureFrameMs(times, tracks.video?.frameRate ?? null);
      const partTargetMs = partTargetMsOf(frameMs, partMs, segmentMs);
      this.#targets = { ...segmentTargets(verdict.segmentMs), partTargetMs, frameMs };
    } else {
      const frameMs = soundFrameMs(tracks.audio);
      const partTargetMs = partTargetMsOf(frameMs, partMs, segmentMs);
      this.#targets = { ...segmentTargets(segmentMs + partTargetMs), partTargetMs, frameMs };
    }
    this.#publisher.begin(this.#targets);
    const hasSound = verdict.frames.some(({ track }) => track === 'audio');
    this.#configure(tracks, this.#targets, { offsetTicks: 0, atTicks: null }, hasSound);
    for (const frame of verdict.frames) this.#feed(frame);
  }

  /** What the present headers allow. A track that no frame came of, and that cannot be filled, is left out. */
  #tracksOf(kind: Verdict['kind']): HlsTracks {
    const headers = this.#stream.headers;
    const video = kind === 'picture' && headers.video !== null ? readHlsVideo(headers.video) : null;
    const audio = headers.audio === null ? this.#tracks.audio : readHlsAudio(headers.audio);
    return {
      video: typeof video === 'string' ? null : video,
      audio: typeof audio === 'string' ? null : audio,
    };
  }

  /** Begins with other tracks where the segmenter before ended. */
  #configure(tracks: HlsTracks, targets: HlsTargets, start: SegmenterStart, hasSound: boolean): void {
    const silence = tracks.audio === null ? null : silenceOf(tracks.audio);
    const audio = hasSound || silence !== null ? tracks.audio : null;
    this.#tracks = { video: tracks.video, audio };
    this.#isStale = { video: false, audio: false };
    this.#hasSoundWaiting = false;
    this.#publisher.useTracks(this.#tracks, targets.frameMs);
    const plan: SegmentPlan = { ...targets, segmentMs: this.#hls.segmentMs };
    if (tracks.video !== null) {
      const queue = audio === null ? null : new SoundQueue({ ...soundFormat(audio), silence }, this.#sink.gap);
      if (!hasSound) queue?.expectNone();
      this.#segmenter = new PictureSegmenter(plan, queue, this.#sink, start);
    } else if (audio !== null) {
      const soundPlan = { ...plan, frameMs: soundFrameMs(audio) };
      this.#segmenter = new SoundSegmenter({ ...soundFormat(audio), silence: null }, soundPlan, this.#sink, start);
    }
  }

  /** Codec, size or tracks are others from this frame on: a discontinuity, and another init segment. */
  #reconfigure(kind: Verdict['kind']): void {
    const before = this.#tracks;
    const tracks = this.#tracksOf(kind);
    if (this.#segmenter === null || this.#targets === null) return;
    if (tracks.video === null && tracks.audio === null) return; // nothing that we can carry: the list stands still
    this.#metrics.hlsReconfigurations.inc();
    this.#segmenter.flush();
    const frameRate = tracks.video?.frameRate ?? null;
    const frameMs = this.#isStale.video && frameRate !== null ? 1_000 / frameRate : this.#targets.frameMs;
    const isSoundLost =
      this.#stream.headers.audio === null && tracks.audio !== null && silenceOf(tracks.audio) === null;
    const hasSound = !isSoundLost && (before.audio !== null || this.#hasSoundWaiting);
    this.#configure(tracks, { ...this.#targets, frameMs }, this.#segmenter.end, hasSound);
  }

  #goOnWithSound(): void {
    if (this.#tracks.audio !== null) this.#reconfigure('sound');
  }

  #feed(frame: HlsFrame): void {
    if (frame.track === 'video') this.#feedPicture(frame);
    else this.#feedSound(frame);
  }

  #feedPicture(frame: HlsFrame): void {
    const needsChange =
      this.#tracks.video === null || this.#isStale.video || (this.#isStale.audio && this.#isSoundChangeDue());
    if (needsChange) {
      if (!frame.isKeyframe && (this.#isStale.video || this.#tracks.video === null)) {
        this.#metrics.hlsGaps.inc({ kind: 'before_keyframe' });
        return;
      }
      if (frame.isKeyframe) this.#reconfigure('picture');
    }
    this.#lastPictureMs = frame.timestampMs;
    this.#segmenter?.frame(frame);
  }

  /** A sound track that comes new is promised to players when sound has come, one that is changed or lost at once. */
  #isSoundChangeDue(): boolean {
    return this.#tracks.audio !== null || this.#hasSoundWaiting;
  }

  #feedSound(frame: HlsFrame): void {
    if (this.#isStale.audio || this.#tracks.audio === null) {
      this.#hasSoundWaiting = true;
      if (this.#tracks.audio === null && this.#stream.headers.audio !== null) this.#isStale.audio = true;
      if (this.#tracks.video !== null) return; // from the next keyframe on
      this.#reconfigure('sound');
    }
    this.#segmenter?.frame(frame);
    const isPictureLost = frame.timestampMs - this.#lastPictureMs > OPENING_MS_MAX;
    if (this.#tracks.video !== null && isPictureLost) this.#goOnWithSound();
  }

  readonly #sink: SegmenterSink = {
    part: (part) => this.#addPart(part),
    segmentEnd: () => this.#endSegment(),
    gap: (kind) => this.#metrics.hlsGaps.inc({ kind }),
  };

  #addPart(part: MediaPart): void {
    this.#publisher.addPart(part);
    if (this.#publisher.isSegmentTooLarge) {
      this.#metrics.hlsGaps.inc({ kind: 'forced_cut' });
      this.#endSegment();
    }
    const arrival = this.#arrival;
    if (this.#publisher.window === null || arrival === null) return;
    const dueMs = arrival.timestampMs + arrival.leastDelayMs;
    this.#metrics.hlsPartDelaySeconds.observe(Math.max(0, performance.now() - dueMs) / 1_000);
  }

  #endSegment(): void {
    if (this.#publisher.endSegment()) this.#segmentEndedAtMs = performance.now();
  }

  #publish(): void {
    this.#publisher.publish(this.#segmenter?.isSegmentEndLikely === true);
  }
}

function silenceOf(audio: HlsAudio): Uint8Array | null {
  return silentAacFrame(audio.config);
}

function soundFormat({ config }: HlsAudio): { sampleRateHz: number; frameSamples: number } {
  return { sampleRateHz: config.sampleRateHz, frameSamples: config.frameSamples };
}

function soundFrameMs(audio: HlsAudio | null): number {
  return audio === null ? 0 : (audio.config.frameSamples * 1_000) / audio.config.sampleRateHz;
}
