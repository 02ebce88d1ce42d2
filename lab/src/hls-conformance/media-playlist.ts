/**
 * A media playlist as its lines say it, nothing repaired and nothing guessed: the rules look at this. Written for checking,
 * so it shares no code with any playlist writer. Spec: draft-pantos-hls-rfc8216bis, section 4.
 */

/** One EXT-X-PART. Durations are in ms. */
export type ListedPart = Readonly<{ uri: string; durationMs: number; isIndependent: boolean; isGap: boolean }>;

/** One media segment; `uri` is null for the segment at the end that has parts only. */
export type ListedSegment = Readonly<{
  mediaSequence: number;
  uri: string | null;
  durationMs: number | null;
  parts: readonly ListedPart[];
  mapUri: string | null;
  hasDiscontinuity: boolean;
  /** EXT-X-GAP: listed, and not to be loaded. */
  isGap: boolean;
  dateTimeMs: number | null;
}>;

/** A media playlist. Null where a tag is missing. */
export type MediaPlaylist = Readonly<{
  version: number;
  targetDurationS: number | null;
  partTargetMs: number | null;
  holdBackMs: number | null;
  partHoldBackMs: number | null;
  canBlockReload: boolean;
  mediaSequence: number;
  discontinuitySequence: number;
  hasIndependentSegments: boolean;
  segments: readonly ListedSegment[];
  preloadHintUri: string | null;
  isEnded: boolean;
  /** What could not be read, in words. */
  problems: readonly string[];
}>;

/** `NAME=value,NAME="quoted, value"` → map. Section 4.2. */
export function readAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', quoted, bare] of text.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^,]*))(?:,|$)/g)) {
    attributes.set(name, quoted ?? bare ?? '');
  }
  return attributes;
}

type Draft = {
  -readonly [K in keyof ListedSegment]: ListedSegment[K];
} & { parts: ListedPart[] };

type ListDraft = { -readonly [K in keyof MediaPlaylist]: MediaPlaylist[K] } & {
  segments: ListedSegment[];
  problems: string[];
};

type Reader = { readonly list: ListDraft; segment: Draft; mapUri: string | null };

const ms = (seconds: string | undefined): number | null => {
  const value = Number(seconds);
  return seconds === undefined || !Number.isFinite(value) ? null : value * 1_000;
};

/** What each tag does. Tags that are not here say nothing that a rule asks for. */
const TAGS: Readonly<Record<string, (reader: Reader, value: string) => void>> = {
  'EXT-X-VERSION': ({ list }, value) => {
    list.version = Number(value);
  },
  'EXT-X-TARGETDURATION': ({ list }, value) => {
    if (!/^\d+$/.test(value)) list.problems.push(`TARGETDURATION ${value} is no integer`);
    list.targetDurationS = Number(value);
  },
  'EXT-X-PART-INF': ({ list }, value) => {
    list.partTargetMs = ms(readAttributes(value).get('PART-TARGET'));
  },
  'EXT-X-SERVER-CONTROL': ({ list }, value) => {
    const attributes = readAttributes(value);
    list.holdBackMs = ms(attributes.get('HOLD-BACK'));
    list.partHoldBackMs = ms(attributes.get('PART-HOLD-BACK'));
    list.canBlockReload = attributes.get('CAN-BLOCK-RELOAD') === 'YES';
  },
  'EXT-X-MEDIA-SEQUENCE': ({ list, segment }, value) => {
    list.mediaSequence = Number(value);
    segment.mediaSequence = Number(value);
  },
  'EXT-X-DISCONTINUITY-SEQUENCE': ({ list }, value) => {
    list.discontinuitySequence = Number(value);
  },
  'EXT-X-INDEPENDENT-SEGMENTS': ({ list }) => {
    list.hasIndependentSegments = true;
  },
  'EXT-X-MAP': (reader, value) => {
    reader.mapUri = readAttributes(value).get('URI') ?? null;
    reader.segment.mapUri = reader.mapUri;
  },
  'EXT-X-DISCONTINUITY': ({ segment }) => {
    segment.hasDiscontinuity = true;
  },
  'EXT-X-GAP': ({ segment }) => {
    segment.isGap = true;
  },
  'EXT-X-PROGRAM-DATE-TIME': ({ list, segment }, value) => {
    const timeMs = Date.parse(value);
    if (Number.isNaN(timeMs)) list.problems.push(`PROGRAM-DATE-TIME ${value} is no date`);
    else segment.dateTimeMs = timeMs;
  },
  'EXT-X-PART': ({ list, segment }, value) => {
    const attributes = readAttributes(value);
    const uri = attributes.get('URI');
    const durationMs = ms(attributes.get('DURATION'));
    if (uri === undefined || durationMs === null) list.problems.push(`PART without URI or DURATION: ${value}`);
    else {
      const isIndependent = attributes.get('INDEPENDENT') === 'YES';
      segment.parts.push({ uri, durationMs, isIndependent, isGap: attributes.get('GAP') === 'YES' });
    }
  },
  EXTINF: ({ list, segment }, value) => {
    segment.durationMs = ms(value.split(',')[0]);
    if (segment.durationMs === null) list.problems.push(`EXTINF ${value} is no duration`);
  },
  'EXT-X-PRELOAD-HINT': ({ list }, value) => {
    const attributes = readAttributes(value);
    if (attributes.get('TYPE') === 'PART') list.preloadHintUri = attributes.get('URI') ?? null;
  },
  'EXT-X-ENDLIST': ({ list }) => {
    list.isEnded = true;
  },
};

/** Reads a media playlist. Never throws: what is wrong stands in `problems`. */
export function readMediaPlaylist(text: string): MediaPlaylist {
  const list: ListDraft = {
    version: 1,
    targetDurationS: null,
    partTargetMs: null,
    holdBackMs: null,
    partHoldBackMs: null,
    canBlockReload: false,
    mediaSequence: 0,
    discontinuitySequence: 0,
    hasIndependentSegments: false,
    segments: [],
    preloadHintUri: null,
    isEnded: false,
    problems: [],
  };
  const reader: Reader = { list, segment: newSegment(0, null), mapUri: null };
  const lines = text.split(/\r?\n/);
  if (lines[0] !== '#EXTM3U') list.problems.push('does not begin with #EXTM3U');
  for (const line of lines) readLine(reader, line);
  if (list.targetDurationS === null) list.problems.push('has no TARGETDURATION');
  if (reader.segment.parts.length > 0) list.segments.push(reader.segment);
  return list;
}

function readLine(reader: Reader, line: string): void {
  if (line.startsWith('#')) {
    const [, name = '', value = ''] = /^#(EXT[A-Z0-9-]*):?(.*)$/.exec(line) ?? [];
    TAGS[name]?.(reader, value);
    return;
  }
  if (line.trim() === '') return;
  const { segment, list } = reader;
  if (segment.durationMs === null) list.problems.push(`segment ${line} has no EXTINF`);
  segment.uri = line;
  list.segments.push(segment);
  reader.segment = newSegment(segment.mediaSequence + 1, reader.mapUri);
}

function newSegment(mediaSequence: number, mapUri: string | null): Draft {
  return {
    mediaSequence,
    uri: null,
    durationMs: null,
    parts: [],
    mapUri,
    hasDiscontinuity: false,
    isGap: false,
    dateTimeMs: null,
  };
}
