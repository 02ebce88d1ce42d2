/**
 * A media playlist the way a player needs it: every fragment with its place from the list's start. Immutable, so that all
 * viewers who read the same text share one. No I/O. Spec: draft-pantos-hls-rfc8216bis, section 4.
 */
import { type ListedSegment, readMediaPlaylist } from '../hls-conformance/media-playlist.ts';

/** Something to fetch and append: a whole segment, or one of its parts. Times in ms. */
export type HlsFragment = Readonly<{
  kind: 'segment' | 'part';
  msn: number;
  /** Number within the segment; 0 for a whole one. */
  part: number;
  uri: string;
  durationMs: number;
  /** From the start of the first segment of this list. */
  offsetMs: number;
  mapUri: string | null;
  /** Timestamps start anew with it. */
  isDiscontinuity: boolean;
  /** Playback may begin with it. */
  isIndependent: boolean;
  isGap: boolean;
  /** Wall clock of its first frame by the packager; carried on from the last PROGRAM-DATE-TIME before it. */
  dateTimeMs: number | null;
}>;

/** A segment; `whole` is null while it is being made. */
export type HlsSegment = Readonly<{
  msn: number;
  offsetMs: number;
  durationMs: number;
  whole: HlsFragment | null;
  parts: readonly HlsFragment[];
}>;

/** One state of a media playlist. */
export type HlsList = Readonly<{
  targetDurationMs: number;
  /** Null: no parts. */
  partTargetMs: number | null;
  holdBackMs: number | null;
  partHoldBackMs: number | null;
  canBlockReload: boolean;
  firstMsn: number;
  /** Of the last segment, whole or not; `firstMsn - 1` when there is none. */
  lastMsn: number;
  segments: readonly HlsSegment[];
  /** Length of all that is listed. */
  totalMs: number;
  /** Of the part that comes next. */
  hintUri: string | null;
  isEnded: boolean;
  /** True when segments are ranges of a larger file: this player asks for whole resources only. */
  hasByteRanges: boolean;
  /** What could not be read, in words. */
  problems: readonly string[];
}>;

/** Reads a media playlist; what is wrong stands in `problems`. */
export function readHlsList(text: string): HlsList {
  const playlist = readMediaPlaylist(text);
  const segments: HlsSegment[] = [];
  let offsetMs = 0;
  let dateTimeMs: number | null = null;
  for (const listed of playlist.segments) {
    dateTimeMs = listed.dateTimeMs ?? dateTimeMs;
    const segment = placeSegment(listed, offsetMs, dateTimeMs);
    segments.push(segment);
    offsetMs += segment.durationMs;
    if (dateTimeMs !== null) dateTimeMs += segment.durationMs;
  }
  return {
    targetDurationMs: (playlist.targetDurationS ?? 1) * 1000,
    partTargetMs: playlist.partTargetMs,
    holdBackMs: playlist.holdBackMs,
    partHoldBackMs: playlist.partHoldBackMs,
    canBlockReload: playlist.canBlockReload,
    firstMsn: playlist.mediaSequence,
    lastMsn: playlist.mediaSequence + segments.length - 1,
    segments,
    totalMs: offsetMs,
    hintUri: playlist.preloadHintUri,
    isEnded: playlist.isEnded,
    hasByteRanges: text.includes('#EXT-X-BYTERANGE') || /#EXT-X-PART:[^\n]*BYTERANGE=/.test(text),
    problems: playlist.problems,
  };
}

function placeSegment(listed: ListedSegment, offsetMs: number, dateTimeMs: number | null): HlsSegment {
  const { mediaSequence: msn, mapUri } = listed;
  let partOffsetMs = 0;
  const parts = listed.parts.map(({ uri, durationMs, isIndependent, isGap }, part): HlsFragment => {
    const placed: HlsFragment = {
      kind: 'part',
      msn,
      part,
      uri,
      durationMs,
      offsetMs: offsetMs + partOffsetMs,
      mapUri,
      isDiscontinuity: listed.hasDiscontinuity && part === 0,
      isIndependent,
      isGap,
      dateTimeMs: dateTimeMs === null ? null : dateTimeMs + partOffsetMs,
    };
    partOffsetMs += durationMs;
    return placed;
  });
  const durationMs = listed.durationMs ?? partOffsetMs;
  const whole: HlsFragment | null =
    listed.uri === null
      ? null
      : {
          kind: 'segment',
          msn,
          part: 0,
          uri: listed.uri,
          durationMs,
          offsetMs,
          mapUri,
          isDiscontinuity: listed.hasDiscontinuity,
          isIndependent: true,
          isGap: listed.isGap,
          dateTimeMs,
        };
  return { msn, offsetMs, durationMs, whole, parts };
}

/** The segment with this number; undefined when it is not listed. */
export function segmentOf(list: HlsList, msn: number): HlsSegment | undefined {
  return list.segments[msn - list.firstMsn];
}

/** Whether two states say the same: what a reload has brought nothing new means. */
export function isSameContent(a: HlsList, b: HlsList): boolean {
  if (a === b) return true;
  const [lastA, lastB] = [a.segments.at(-1), b.segments.at(-1)];
  return (
    a.firstMsn === b.firstMsn &&
    a.lastMsn === b.lastMsn &&
    a.isEnded === b.isEnded &&
    lastA?.parts.length === lastB?.parts.length &&
    lastA?.whole?.uri === lastB?.whole?.uri
  );
}

/** What a multivariant playlist offers first, relative to it; null when the text is a media playlist. */
export function firstVariantUri(text: string): string | null {
  const lines = text.split(/\r?\n/);
  const at = lines.findIndex((line) => line.startsWith('#EXT-X-STREAM-INF'));
  if (at < 0) return null;
  return lines.slice(at + 1).find((line) => line !== '' && !line.startsWith('#')) ?? null;
}
