/**
 * HTTP-FLV fan-out of one stream: every packet becomes FLV bytes once, and all viewers get the same buffer. Nothing is done
 * per viewer and packet but the socket's write. When rounds are written is `merge-policy.ts`'s word.
 */
import { performance } from 'node:perf_hooks';
import {
  Amf0EcmaArray,
  encodeAmf0,
  encodeFlvHeader,
  encodeFlvTag,
  type FlvTag,
  FlvTagType,
} from '@showfloor/media-formats';
import type { GopLimits } from '../hub/gop-cache.ts';
import type { MediaPacket } from '../hub/media-packet.ts';
import type { Stream, StreamOutput } from '../hub/stream.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import { FlvArena } from './flv-arena.ts';
import type { FlvViewer, ViewerLimits } from './flv-viewer.ts';
import { MergePolicy, type MergeSetting } from './merge-policy.ts';

/** A stream without picture has no keyframes: its arena is renewed at this size. */
const SOUND_ARENA_BYTES_MAX = 256 * 1024;
/** A GOP that joiners cannot have any more goes on in arenas of this size. */
const OVERFLOW_ARENA_BYTES_MAX = 1024 * 1024;
/** Smoothing of measurements: about the last eight rounds. */
const SMOOTHING = 8;

const TAG_TYPES = { video: FlvTagType.video, audio: FlvTagType.audio, script: FlvTagType.script } as const;

export type FanOutOptions = Readonly<{
  metrics: MediaMetrics;
  gop: GopLimits;
  viewerLimits: ViewerLimits;
  merge: MergeSetting;
  mergeCeilingMs: number;
  /** In grace, viewers get a state tag this often: proxies close silent responses after 60 s. */
  keepAliveMs: number;
  /** Grows by every byte that is handed to a viewer. Lives longer than this fan-out. */
  sent: { bytes: number };
  /** Told once, when the stream is over, who was ended. */
  onEnded: (viewers: readonly FlvViewer[]) => void;
  /** Told who was ended because the publisher came back with other tracks. */
  onTracksChanged: (viewers: readonly FlvViewer[]) => void;
  /** Told for every viewer that was cut for being stuck. */
  onStuck: (viewer: FlvViewer) => void;
}>;

/** Feeds all FLV viewers of one stream. Created with the first viewer, disposed of with the last. */
export class FlvFanOut implements StreamOutput {
  /** What it feeds from. */
  readonly stream: Stream;
  readonly #options: FanOutOptions;
  readonly #viewers = new Set<FlvViewer>();
  readonly #policy: MergePolicy;
  #arena: FlvArena | null = null;
  /** True while the arena holds everything from a keyframe (or any point of a stream without picture) on. */
  #isJoinable = false;
  #isEntryPending = false;
  #flushedTo = 0;
  #arenaPackets = 0;
  #pendingPackets = 0;
  #timer: NodeJS.Timeout | null = null;
  #isMicrotaskQueued = false;
  #keepAliveTimer: NodeJS.Timeout | null = null;
  #roundMs = 0;
  #roundStartedMs = 0;
  #bytesPerMs = 0;
  #windowBytes = 0;
  #windowStartMs = performance.now();
  #utilization = performance.eventLoopUtilization();

  constructor(stream: Stream, options: FanOutOptions) {
    this.stream = stream;
    this.#options = options;
    this.#policy = new MergePolicy(options.mergeCeilingMs, options.merge);
    this.#fillArena();
    stream.attach(this);
    if (stream.state === 'interrupted') this.#startKeepAlive();
  }

  get viewers(): ReadonlySet<FlvViewer> {
    return this.#viewers;
  }

  /** Sends the opening and counts the viewer in. Never flushes and never copies the GOP. */
  join(viewer: FlvViewer): void {
    const arena = this.#arena;
    const isComplete = arena !== null && this.#isJoinable && this.#flushedTo > arena.mediaStart;
    const opening = isComplete ? arena.view(0, this.#flushedTo) : this.#openingWithoutPicture();
    viewer.open(opening, isComplete);
    this.#countSent(opening.length);
    this.#viewers.add(viewer);
    if (this.stream.state === 'interrupted') viewer.sendAside(this.#stateTag('interrupted'));
  }

  /** Forgets a viewer whose connection is gone. */
  leave(viewer: FlvViewer): void {
    this.#viewers.delete(viewer);
  }

  /** Stops all timers and leaves the stream. Viewers' sockets are their owner's. */
  dispose(): void {
    this.stream.detach(this);
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#keepAliveTimer !== null) clearInterval(this.#keepAliveTimer);
    this.#timer = null;
    this.#keepAliveTimer = null;
    this.#viewers.clear();
  }

  packet(packet: MediaPacket): void {
    this.#append(packet);
    this.#scheduleFlush(packet);
  }

  interrupted(): void {
    this.#flush();
    this.#sendAside('interrupted');
    this.#startKeepAlive();
  }

  resumed(): void {
    if (this.#keepAliveTimer !== null) clearInterval(this.#keepAliveTimer);
    this.#keepAliveTimer = null;
    this.#sendAside('live');
  }

  ended(): void {
    this.#flush();
    this.#sendAside('ended');
    const viewers = [...this.#viewers];
    for (const viewer of viewers) viewer.end(this.#options.viewerLimits.stuckMsMax);
    this.dispose();
    this.#options.onEnded(viewers);
  }

  /** A response names its tracks at its beginning: those who watch must ask again. */
  tracksChanged(): void {
    this.#flush();
    for (const viewer of this.#viewers) viewer.end(this.#options.viewerLimits.stuckMsMax);
    this.#options.onTracksChanged([...this.#viewers]);
    this.#viewers.clear();
    this.#fillArena();
  }

  /** Begins with the stream's GOP, under its present headers. */
  #fillArena(): void {
    this.#arena = null;
    this.#isJoinable = false;
    this.#flushedTo = 0;
    for (const packet of this.stream.gop) this.#append(packet);
    this.#flushedTo = this.#arenaBytes(); // nobody has missed it: joiners get it whole
    this.#pendingPackets = 0;
    this.#isEntryPending = false;
  }

  #arenaBytes(): number {
    return this.#arena?.filled ?? 0;
  }

  #append(packet: MediaPacket): void {
    const hasPicture = this.stream.headers.video !== null;
    const isEntry = packet.kind === 'frames' && (hasPicture ? packet.isKeyframe : this.#isSoundArenaFull());
    // A keyframe always opens an arena, so that whoever waits can start at its beginning; new headers close one.
    if (isEntry || this.#arena === null || packet.kind === 'sequence-header' || this.#isOverflowing()) {
      this.#flush();
      if (packet.kind === 'sequence-header') this.#appendHeader(packet);
      else this.#openArena(packet, isEntry || !hasPicture);
    }
    if (packet.kind === 'sequence-header') return;
    this.#arena?.append(toTag(packet));
    this.#arenaPackets += 1;
    this.#pendingPackets += 1;
  }

  #isSoundArenaFull(): boolean {
    return this.#arena === null || !this.#isJoinable || this.#arena.filled > SOUND_ARENA_BYTES_MAX;
  }

  #isOverflowing(): boolean {
    const bytes = this.#arenaBytes();
    if (!this.#isJoinable) return bytes > OVERFLOW_ARENA_BYTES_MAX;
    return bytes > this.#options.gop.bytesMax || this.#arenaPackets >= this.#options.gop.packetsMax;
  }

  /** New headers within a running stream: whoever flows gets them, and a fresh arena starts with them. */
  #appendHeader(packet: MediaPacket): void {
    const bytes = Buffer.from(encodeFlvTag(toTag(packet)));
    for (const viewer of this.#viewers) if (viewer.isFlowing) viewer.sendAside(bytes);
    this.#arena = null;
    this.#isJoinable = false;
    this.#flushedTo = 0;
  }

  #openArena(first: MediaPacket, isJoinable: boolean): void {
    const { metadata, video, audio } = this.stream.headers;
    const headers = [video, audio].flatMap((header) =>
      header === null ? [] : [{ ...toTag(header), timestampMs: first.timestampMs >>> 0 }],
    );
    const fileHeader = encodeFlvHeader({ hasVideo: video !== null, hasAudio: audio !== null });
    const opening = { fileHeader, metadata: metadata === null ? null : toTag(metadata), headers };
    this.#arena = new FlvArena(opening, Math.ceil((this.#arena?.filled ?? 0) * 1.25));
    this.#flushedTo = this.#arena.mediaStart;
    this.#arenaPackets = 0;
    this.#isJoinable = isJoinable;
    this.#isEntryPending = isJoinable;
  }

  /** A response that begins before there is a picture to show: file header and metadata only. */
  #openingWithoutPicture(): Buffer {
    const { metadata, video, audio } = this.stream.headers;
    const parts = [encodeFlvHeader({ hasVideo: video !== null, hasAudio: audio !== null })];
    if (metadata !== null) parts.push(encodeFlvTag(toTag(metadata)));
    return Buffer.concat(parts);
  }

  #scheduleFlush(packet: MediaPacket): void {
    if (this.#pendingPackets === 0) return;
    const { name, ceilingMs } = this.#policy.level;
    if (name === 'packet' || (name === 'frame' && packet.track === 'video')) {
      // After this turn: packets that came in one read leave in one write.
      if (this.#isMicrotaskQueued) return;
      this.#isMicrotaskQueued = true;
      queueMicrotask(() => {
        this.#isMicrotaskQueued = false;
        this.#flush();
      });
      return;
    }
    // The clock runs from the start of the last round, so that a long round does not stretch the tick; a quarter is left to
    // everything else the process does.
    const sinceRoundMs = performance.now() - this.#roundStartedMs;
    const delayMs = Math.max(ceilingMs / 4, ceilingMs - sinceRoundMs);
    this.#timer ??= setTimeout(() => this.#flush(), delayMs);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const arena = this.#arena;
    if (arena === null || arena.filled === this.#flushedTo) return;
    const buffer = arena.view(this.#flushedTo, arena.filled);
    const canEnter = this.#isEntryPending || this.stream.headers.video === null;
    const entry = canEnter ? arena.view(arena.headersStart, arena.mediaStart) : null;
    const packets = this.#pendingPackets;
    this.#flushedTo = arena.filled;
    this.#pendingPackets = 0;
    this.#isEntryPending = false;
    this.#writeRound(buffer, entry, packets);
  }

  #writeRound(buffer: Buffer, entry: Buffer | null, packets: number): void {
    const { metrics, viewerLimits: limits } = this.#options;
    const startedMs = performance.now();
    this.#roundStartedMs = startedMs;
    const bounds = { highBytes: this.#highMarkBytes(), limits, nowMs: startedMs };
    let sent = 0;
    let dropped = 0;
    for (const viewer of this.#viewers) {
      const result = viewer.offer(buffer, entry, bounds);
      if (result === 'sent') sent += 1;
      else if (result !== 'waiting') dropped += packets;
      if (result === 'skip-began') metrics.skips.inc();
      if (result === 'stuck') this.#options.onStuck(viewer);
    }
    this.#countSent(sent * buffer.length);
    if (dropped > 0) metrics.droppedPackets.inc(dropped);
    this.#measure(performance.now(), startedMs, buffer.length);
  }

  #countSent(bytes: number): void {
    this.#options.sent.bytes += bytes;
    this.#options.metrics.sentBytes.inc({ protocol: 'flv' }, bytes);
  }

  /** The bound in bytes, or what the stream sends within the bound in time if that is less. */
  #highMarkBytes(): number {
    const { backlogBytesHigh, backlogBytesLow, backlogMsMax } = this.#options.viewerLimits;
    if (this.#bytesPerMs === 0) return backlogBytesHigh;
    return Math.min(backlogBytesHigh, Math.max(backlogBytesLow * 2, this.#bytesPerMs * backlogMsMax));
  }

  #measure(nowMs: number, startedMs: number, bytes: number): void {
    const roundMs = nowMs - startedMs;
    this.#options.metrics.roundSeconds.observe(roundMs / 1000);
    this.#roundMs += (roundMs - this.#roundMs) / SMOOTHING;
    this.#windowBytes += bytes;
    if (!this.#policy.isDue(nowMs)) return;
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs > 500) {
      const rate = this.#windowBytes / elapsedMs;
      this.#bytesPerMs = this.#bytesPerMs === 0 ? rate : this.#bytesPerMs + (rate - this.#bytesPerMs) / 4;
    }
    this.#windowBytes = 0;
    this.#windowStartMs = nowMs;
    const utilization = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(utilization, this.#utilization).utilization;
    this.#utilization = utilization;
    if (this.#policy.decide({ roundMs: this.#roundMs, busy }, nowMs)) {
      this.#options.metrics.mergeChanges.inc({ level: this.#policy.level.name });
    }
  }

  #startKeepAlive(): void {
    this.#keepAliveTimer ??= setInterval(() => this.#sendAside('interrupted'), this.#options.keepAliveMs);
  }

  #sendAside(state: string): void {
    const tag = this.#stateTag(state);
    for (const viewer of this.#viewers) viewer.sendAside(tag);
  }

  /** `onStreamState {state}`: players hand it out as script data, others skip it. */
  #stateTag(state: string): Buffer {
    const payload = encodeAmf0('onStreamState', new Amf0EcmaArray({ state, wallClockMs: Date.now() }));
    const timestampMs = this.stream.lastTimestampMs >>> 0;
    return Buffer.from(encodeFlvTag({ typeId: FlvTagType.script, timestampMs, payload }));
  }
}

function toTag(packet: MediaPacket): FlvTag {
  return { typeId: TAG_TYPES[packet.track], timestampMs: packet.timestampMs >>> 0, payload: packet.payload };
}
