import type { PlaylistPart, PlaylistSegment, PlaylistSegmentStart } from '@showfloor/media-formats';

/** One finished object: the pieces of its body in order, never written to again. */
export type HlsObject = Readonly<{ body: readonly Buffer[]; bytes: number }>;

/** What a part is listed and fetched by. */
export type StoredPart = Readonly<{ body: Buffer; durationMs: number; isIndependent: boolean }>;

export type StoreOptions = Readonly<{
  /** Begins every name: names of an earlier run of this stream must not come again. */
  runId: string;
  firstSequence: number;
  windowSegments: number;
  /** Bytes that may be kept now: asked when a segment ends. */
  bytesMax: () => number;
  /** A segment was let go before its time because of `bytesMax`. */
  onEvicted: () => void;
}>;

type Segment = {
  readonly msn: number;
  readonly mapName: string;
  readonly isDiscontinuity: boolean;
  readonly programDateTimeMs: number | null;
  readonly names: string[];
  readonly parts: PlaylistPart[];
  readonly body: Buffer[];
  bytes: number;
  durationMs: number;
  /** What the playlist says of it, with parts and later without; null while it grows. */
  listed: PlaylistSegment | null;
  brief: PlaylistSegment | null;
};

/** What a playlist is written from. */
export type StoreListing = Readonly<{
  mediaSequence: number;
  discontinuitySequence: number;
  hasIndependentSegments: boolean;
  segments: readonly PlaylistSegment[];
  open: PlaylistSegmentStart | null;
}>;

/**
 * Discontinuity sequence numbers rise with the media sequence over runs (about one an hour) but stay small: hls.js keeps an array with
 * one place per number and walks over all of it with each playlist (90 million of them take it a second each time).
 */
const SEQUENCES_PER_DISCONTINUITY = 3_600;

/** Segments that are all too short make the list this many times longer, and no more. */
const WINDOW_GROWTH_MAX = 8;

/** However large it is, the newest whole segment stays. */
const KEPT_WHOLE_MIN = 1;

/** The segments and parts of one stream in memory: the window, and behind it what players with an older list may still ask for. */
export class SegmentStore {
  readonly #options: StoreOptions;
  readonly #objects = new Map<string, HlsObject>();
  readonly #inits = new Map<string, HlsObject>();
  #whole: Segment[] = [];
  #open: Segment | null = null;
  #nextMsn: number;
  #initCount = 0;
  #mapName = '';
  #isDiscontinuityNext = false;
  #discontinuitySequence: number;
  #listedFrom = 0;
  #windowMsMin = 0;
  /** Time that the list tells, and time kept behind it. */
  #listedMs = 0;
  #behindMs = 0;
  #hasIndependentSegments = true;
  #bytes = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#nextMsn = options.firstSequence;
    this.#discontinuitySequence = Math.floor(options.firstSequence / SEQUENCES_PER_DISCONTINUITY);
  }

  /** Bytes of media kept. */
  get bytes(): number {
    return this.#bytes;
  }
  /** Number of the segment that grows, or of the one that comes. */
  get openMsn(): number {
    return this.#nextMsn;
  }

  /** The run after this one begins above: its discontinuity numbers follow from its sequence numbers and must not fall either. */
  get numbersTaken(): number {
    return Math.max(this.#nextMsn, this.#discontinuitySequence * SEQUENCES_PER_DISCONTINUITY);
  }

  /** Parts that the open segment has. */
  get openPartCount(): number {
    return this.#open?.parts.length ?? 0;
  }
  /** Bytes of the open segment. */
  get openBytes(): number {
    return this.#open?.bytes ?? 0;
  }
  /** Whole segments kept. */
  get wholeCount(): number {
    return this.#whole.length;
  }

  object(name: string): HlsObject | undefined {
    return this.#objects.get(name) ?? this.#inits.get(name);
  }

  partName(msn: number, part: number): string {
    return `${this.#options.runId}-${msn}.${part}.m4s`;
  }

  /** From the next segment on another init segment holds. The first one begins the stream, each later one is a discontinuity. */
  useInit(init: Buffer): void {
    const before = this.#mapName;
    this.#isDiscontinuityNext = before !== '';
    this.#mapName = `${this.#options.runId}-init-${this.#initCount}.mp4`;
    this.#initCount += 1;
    this.#inits.set(this.#mapName, { body: [init], bytes: init.length });
    this.#dropUnused(before); // nothing may have come of it
  }

  /** From now on this much stays listed, whatever the number of segments (ms): segments may be far shorter than the target. */
  keepAtLeast(windowMsMin: number): void {
    this.#windowMsMin = windowMsMin;
  }

  /** Appends a part; `programDateTimeMs` counts for the first of a segment. */
  addPart(part: StoredPart, programDateTimeMs: number | null): void {
    const segment = this.#open ?? this.#begin(part.isIndependent, programDateTimeMs);
    const name = this.partName(segment.msn, segment.parts.length);
    segment.parts.push({ uri: name, durationMs: part.durationMs, isIndependent: part.isIndependent });
    segment.names.push(name);
    segment.body.push(part.body);
    segment.bytes += part.body.length;
    segment.durationMs += part.durationMs;
    this.#bytes += part.body.length;
    this.#objects.set(name, { body: [part.body], bytes: part.body.length });
  }

  /** The open segment is whole. Returns its length and size, or null when there is none open. */
  endSegment(): { durationMs: number; bytes: number } | null {
    const segment = this.#open;
    if (segment === null) return null;
    const { bytes, durationMs, mapName, isDiscontinuity, programDateTimeMs, parts } = segment;
    const uri = `${this.#options.runId}-${segment.msn}.m4s`;
    segment.listed = { uri, durationMs, mapUri: mapName, isDiscontinuity, programDateTimeMs, parts };
    segment.brief = { ...segment.listed, parts: [] };
    segment.names.push(uri);
    this.#objects.set(uri, { body: segment.body, bytes });
    this.#whole.push(segment);
    this.#listedMs += durationMs;
    this.#open = null;
    this.#nextMsn += 1;
    this.#letGo();
    return { durationMs, bytes };
  }

  /** What is listed now. The newest `segmentsWithParts` show their parts. */
  listing(segmentsWithParts: number): StoreListing {
    const listed = this.#whole.slice(this.#listedFrom);
    const segments: PlaylistSegment[] = [];
    for (const [index, { listed: segment, brief }] of listed.entries()) {
      const shown = index < listed.length - segmentsWithParts ? brief : segment;
      if (shown !== null) segments.push(shown);
    }
    return {
      mediaSequence: listed[0]?.msn ?? this.#nextMsn,
      discontinuitySequence: this.#discontinuitySequence,
      hasIndependentSegments: this.#hasIndependentSegments,
      segments,
      open: this.#listOpen(),
    };
  }

  /** Lets everything go. */
  clear(): void {
    this.#objects.clear();
    this.#inits.clear();
    this.#whole = [];
    this.#open = null;
    this.#bytes = 0;
  }

  #listOpen(): PlaylistSegmentStart | null {
    if (this.#open === null) return null;
    const { mapName: mapUri, isDiscontinuity, programDateTimeMs, parts } = this.#open;
    return { mapUri, isDiscontinuity, programDateTimeMs, parts };
  }

  #begin(isIndependent: boolean, programDateTimeMs: number | null): Segment {
    if (!isIndependent) this.#hasIndependentSegments = false; // and stays so: a tag that comes and goes helps nobody
    const segment: Segment = {
      msn: this.#nextMsn,
      mapName: this.#mapName,
      isDiscontinuity: this.#isDiscontinuityNext,
      programDateTimeMs,
      names: [],
      parts: [],
      body: [],
      bytes: 0,
      durationMs: 0,
      listed: null,
      brief: null,
    };
    this.#isDiscontinuityNext = false;
    this.#open = segment;
    return segment;
  }

  /**
   * The list keeps `windowSegments`, and more while they are less than `keepAtLeast` said; as many again and one, and no less time
   * than the list tells, stay behind it to be fetched. Spec: rfc8216bis, 6.2.2.
   */
  #letGo(): void {
    const { windowSegments, bytesMax, onEvicted } = this.#options;
    while (this.#whole.length - this.#listedFrom > windowSegments && this.#mayUnlist()) this.#unlist();
    while (this.#listedFrom > windowSegments + 1 && this.#mayRemove()) this.#removeOldest();
    const keptBytesMax = bytesMax();
    while (this.#bytes > keptBytesMax && this.#whole.length > KEPT_WHOLE_MIN) {
      this.#removeOldest();
      onEvicted();
    }
  }

  #mayUnlist(): boolean {
    const isFull = this.#whole.length - this.#listedFrom > this.#options.windowSegments * WINDOW_GROWTH_MAX;
    const oldestMs = this.#whole[this.#listedFrom]?.durationMs ?? 0;
    return isFull || this.#listedMs - oldestMs >= this.#windowMsMin;
  }

  #mayRemove(): boolean {
    return this.#behindMs - (this.#whole[0]?.durationMs ?? 0) >= this.#listedMs;
  }

  #unlist(): void {
    const segment = this.#whole[this.#listedFrom];
    if (segment === undefined) return;
    if (segment.isDiscontinuity) this.#discontinuitySequence += 1;
    this.#listedMs -= segment.durationMs;
    this.#behindMs += segment.durationMs;
    this.#listedFrom += 1;
  }

  #removeOldest(): void {
    if (this.#listedFrom === 0) this.#unlist();
    const segment = this.#whole.shift();
    this.#listedFrom -= 1;
    if (segment === undefined) return;
    this.#behindMs -= segment.durationMs;
    for (const name of segment.names) this.#objects.delete(name);
    this.#bytes -= segment.bytes;
    this.#dropUnused(segment.mapName);
  }

  #dropUnused(mapName: string): void {
    const isUsed = mapName === this.#mapName || this.#whole.some((other) => other.mapName === mapName);
    if (!isUsed && this.#open?.mapName !== mapName) this.#inits.delete(mapName);
  }
}
