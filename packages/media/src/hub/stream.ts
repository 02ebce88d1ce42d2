import { randomUUID } from 'node:crypto';
import {
  type AacConfig,
  type AvcConfig,
  FormatError,
  type HevcConfig,
  parseAacConfig,
  parseAvcConfig,
  parseHevcConfig,
  readFlvAudioHeader,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { GopCache, type GopLimits } from './gop-cache.ts';
import type { MediaPacket } from './media-packet.ts';
import { type ClockReading, StreamClock } from './stream-clock.ts';
import { Timeline } from './timeline.ts';

/** What a delivery format implements to be fed by a stream. One that throws is detached: it never ends the show. */
export type StreamOutput = {
  /** One packet, in order. Called synchronously from ingest. */
  packet(packet: MediaPacket): void;
  /** The returned publisher lacks a track that was there; called with the headers already right. */
  tracksChanged(): void;
  /** The publisher is gone, the grace window runs. */
  interrupted(): void;
  /** The first frame of the returning publisher follows; its headers, if they are others, came before. */
  resumed(): void;
  /**
   * What follows, headers first, is of another publisher than what came before, also when it took over without an interruption.
   * Timestamps go on; `stream.wallClockAt` jumps. A decoder needs a fresh start only if a sequence header comes too.
   */
  sourceChanged?(): void;
  /** Nothing will follow. */
  ended(): void;
};

/**
 * What a publisher has shown so far; `firstMs` is the output time of its first frame. `clock` is the track whose arrivals set the
 * wall clock: the picture's as soon as there is one, for that is what the ingest clock in the SEI measures.
 */
type Source = {
  video: boolean;
  audio: boolean;
  firstMs: number | null;
  isSettled: boolean;
  clock: 'video' | 'audio' | null;
  isAnnounced: boolean;
};

/** A returned publisher has this long, from its first frame on, to show each of the tracks that were there. */
const SETTLE_MS = 1_000;

/** `pending`: admitted, no frame yet. */
export type StreamState = 'pending' | 'live' | 'interrupted' | 'ended';

/** Latest headers: what a decoder must have before the first frame. */
export type StreamHeaders = Readonly<{
  metadata: MediaPacket | null;
  video: MediaPacket | null;
  audio: MediaPacket | null;
}>;

/** A packet as ingest hands it over: timestamps still the publisher's. */
export type SourcePacket = Omit<MediaPacket, 'timestampMs'> & Readonly<{ timestampMs: number }>;

/**
 * What the headers say; null until they came, when the codec is another one, or when our parser cannot read them. At most one of
 * `avc` and `hevc` is there.
 */
export type StreamFormat = Readonly<{ avc: AvcConfig | null; hevc: HevcConfig | null; aac: AacConfig | null }>;

const NO_VIDEO = { avc: null, hevc: null };

export type StreamOptions = Readonly<{
  gop: GopLimits;
  onGopOverflow: () => void;
  /** A header of a codec we know that our parser cannot read; it goes on all the same. */
  onUnreadableHeader: () => void;
  /** An output threw and was detached: our fault. */
  onOutputFailed?: (error: unknown) => void;
  readClock?: () => ClockReading;
}>;

/**
 * One show on air: the packets of its present publisher on one continuing timeline, the headers and the latest GOP for
 * joiners, and the outputs that are fed. Knows neither protocols nor sockets. Lives from the first admitted publish
 * to the end of the grace window.
 */
export class Stream {
  readonly playbackId: string;
  /** The same through interruptions. */
  readonly sessionId: string = randomUUID();
  readonly createdAtMs: number = Date.now();
  readonly #timeline = new Timeline();
  readonly #clock = new StreamClock();
  readonly #gop: GopCache;
  readonly #options: StreamOptions;
  readonly #outputs = new Set<StreamOutput>();
  #state: StreamState = 'pending';
  #headers: StreamHeaders = { metadata: null, video: null, audio: null };
  #format: StreamFormat = { ...NO_VIDEO, aac: null };
  #isAwaitingKeyframe = true;
  #source: Source = newSource(true);
  #receivedBytes = 0;
  #videoFrames = 0;

  constructor(playbackId: string, options: StreamOptions) {
    this.playbackId = playbackId;
    this.#options = options;
    this.#gop = new GopCache(options.gop, options.onGopOverflow);
  }

  get state(): StreamState {
    return this.#state;
  }
  get headers(): StreamHeaders {
    return this.#headers;
  }
  get format(): StreamFormat {
    return this.#format;
  }
  /** The packets since the latest keyframe; empty when there is none or it did not fit the cache. */
  get gop(): readonly MediaPacket[] {
    return this.#gop.packets;
  }
  /** Latest time on the output timeline, in ms. */
  get lastTimestampMs(): number {
    return this.#timeline.lastMs;
  }
  /** Times the wall clock was anchored anew: once per publish, and when a clock was set or a publisher's clock jumped. */
  get clockSteps(): number {
    return this.#clock.steps;
  }
  /** Payload bytes received from all publishers of this session. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }
  get videoFrames(): number {
    return this.#videoFrames;
  }

  /**
   * Wall clock (ms since 1970, not whole) at which the packet of this output decode time was received, freed of the network's
   * jitter: anchored once per publish, then corrected by at most a few ms a second. 0 before the first frame.
   */
  wallClockAt(timestampMs: number): number {
    return this.#clock.wallClockAt(timestampMs);
  }

  /** Feeds an output from the next packet on. */
  attach(output: StreamOutput): void {
    this.#outputs.add(output);
  }

  detach(output: StreamOutput): void {
    this.#outputs.delete(output);
  }

  /** A publisher takes over: its frames continue the timeline, its picture starts at its first keyframe. */
  beginSource(): void {
    this.#timeline.beginSource();
    this.#isAwaitingKeyframe = true;
    this.#source = newSource(this.#state === 'pending');
  }

  /** The first frame of a publisher came. */
  goLive(): void {
    const wasInterrupted = this.#state === 'interrupted';
    this.#state = 'live';
    if (wasInterrupted) this.#tell((output) => output.resumed());
  }

  interrupt(): void {
    this.#state = 'interrupted';
    this.#tell((output) => output.interrupted());
  }

  end(): void {
    this.#state = 'ended';
    this.#tell((output) => output.ended());
    this.#outputs.clear();
    this.#gop.clear();
  }

  /** Takes one packet of the present publisher. */
  push(source: SourcePacket): void {
    this.#receivedBytes += source.payload.length;
    switch (source.kind) {
      case 'sequence-header':
        this.#takeHeader(source);
        return;
      case 'end-of-sequence':
        return; // an interruption is not the end: the decoder keeps its state for the return
      case 'frames':
        this.#takeFrame(source);
        return;
      case 'other':
        if (source.track === 'script') this.#takeMetadata(source);
        return;
    }
  }

  #takeFrame(source: SourcePacket): void {
    if (source.track === 'video') {
      if (this.#isAwaitingKeyframe && !source.isKeyframe) return;
      this.#isAwaitingKeyframe = false;
      this.#videoFrames += 1;
    }
    const packet = this.#onTimeline(source);
    this.#observe(packet);
    this.#settleTracks(packet);
    this.#gop.add(packet);
    this.#deliver(packet);
  }

  #observe({ track, timestampMs }: MediaPacket): void {
    const source = this.#source;
    if (track === 'script' || (track === 'audio' && source.clock === 'video')) return;
    if (this.#timeline.isAfterJump || source.clock !== track) this.#clock.anchorAnew();
    source.clock = track;
    this.#clock.observe(timestampMs, (this.#options.readClock ?? readClock)());
  }

  /** Forgets the headers of tracks that the present publisher does not have: a joiner's player would wait for them. */
  #settleTracks({ track, timestampMs }: MediaPacket): void {
    const source = this.#source;
    if (source.isSettled || track === 'script') return;
    source[track] = true;
    source.firstMs ??= timestampMs;
    if (timestampMs - source.firstMs < SETTLE_MS) return;
    source.isSettled = true;
    const { video, audio } = this.#headers;
    const hasLost = { video: video !== null && !source.video, audio: audio !== null && !source.audio };
    if (!hasLost.video && !hasLost.audio) return;
    this.#headers = { ...this.#headers, ...(hasLost.video ? { video: null } : { audio: null }) };
    this.#format = { ...this.#format, ...(hasLost.video ? NO_VIDEO : { aac: null }) };
    if (hasLost.video) this.#gop.clear(); // pictures of the publisher before
    this.#tell((output) => output.tracksChanged());
  }

  #takeHeader(source: SourcePacket): void {
    const { track } = source;
    if (track === 'script') return;
    this.#source[track] = true;
    const previous = this.#headers[track];
    if (previous !== null && sameBytes(previous.payload, source.payload)) return;
    const packet: MediaPacket = { ...source, timestampMs: this.#timeline.lastMs };
    this.#headers = { ...this.#headers, [track]: packet };
    this.#format = this.#readFormat(packet);
    this.#gop.clear(); // frames of the old header would be decoded with the new one
    this.#deliver(packet);
  }

  #readFormat(header: MediaPacket): StreamFormat {
    try {
      return { ...this.#format, ...(header.track === 'video' ? videoFormat(header) : audioFormat(header)) };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#options.onUnreadableHeader();
    }
    return { ...this.#format, ...(header.track === 'video' ? NO_VIDEO : { aac: null }) };
  }

  /** Metadata is for joiners; those who watch got theirs, and the parameter sets say what changes. */
  #takeMetadata(source: SourcePacket): void {
    this.#headers = { ...this.#headers, metadata: { ...source, timestampMs: 0 } };
  }

  #onTimeline(source: SourcePacket): MediaPacket {
    return { ...source, timestampMs: this.#timeline.map(source.track, source.timestampMs) };
  }

  #deliver(packet: MediaPacket): void {
    if (!this.#source.isAnnounced) {
      this.#source.isAnnounced = true;
      this.#tell((output) => output.sourceChanged?.());
    }
    for (const output of this.#outputs) {
      try {
        output.packet(packet);
      } catch (error) {
        this.#drop(output, error);
      }
    }
  }

  #tell(what: (output: StreamOutput) => void): void {
    for (const output of this.#outputs) {
      try {
        what(output);
      } catch (error) {
        this.#drop(output, error);
      }
    }
  }

  /** An output's fault is not the publisher's, nor that of the other outputs. */
  #drop(output: StreamOutput, error: unknown): void {
    this.#outputs.delete(output);
    this.#options.onOutputFailed?.(error);
  }
}

/** The first publisher is nobody's successor: there is nothing to announce. */
function newSource(isFirst: boolean): Source {
  return { video: false, audio: false, firstMs: null, isSettled: false, clock: null, isAnnounced: isFirst };
}

function readClock(): ClockReading {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

function videoFormat({ payload }: MediaPacket): Pick<StreamFormat, 'avc' | 'hevc'> {
  const { codec, dataOffset } = readFlvVideoHeader(payload);
  const record = payload.subarray(dataOffset);
  if (codec === 'avc') return { avc: parseAvcConfig(record), hevc: null };
  if (codec === 'hevc') return { avc: null, hevc: parseHevcConfig(record) };
  return NO_VIDEO;
}

function audioFormat({ payload }: MediaPacket): Pick<StreamFormat, 'aac'> {
  const { codec, dataOffset } = readFlvAudioHeader(payload);
  return { aac: codec === 'aac' ? parseAacConfig(payload.subarray(dataOffset)) : null };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
