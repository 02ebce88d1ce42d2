/**
 * M3U8 writing, classic and low-latency by the same functions.
 * Spec: draft-pantos-hls-rfc8216bis, 4.4 (tags), 6.2 (servers), Appendix B.1 (low latency).
 */

/** A part of a segment; its media lies under its own URI. */
export type PlaylistPart = Readonly<{
  /** Relative to the playlist; no quotes, no line breaks. */
  uri: string;
  durationMs: number;
  /** Starts with a keyframe. */
  isIndependent: boolean;
  /** Not available. */
  isGap?: boolean;
}>;

/** What a segment that is finished and one that is being made have in common. */
export type PlaylistSegmentStart = Readonly<{
  /** The init segment that its media needs; `EXT-X-MAP` is written where it changes. */
  mapUri: string;
  /** Timestamps, tracks or encoding differ from the segment before. */
  isDiscontinuity: boolean;
  /** Wall clock of its first frame, ms since 1970; null writes none. */
  programDateTimeMs: number | null;
  /** Parts still listed: only the newest segments keep theirs (at least three target durations from the end). */
  parts: readonly PlaylistPart[];
}>;

/** A finished segment. */
export type PlaylistSegment = PlaylistSegmentStart & Readonly<{ uri: string; durationMs: number; isGap?: boolean }>;

/** One state of a media playlist. Durations in ms; `targetDurationMs` is a whole number of seconds. */
export type MediaPlaylist = Readonly<{
  targetDurationMs: number;
  /** Sequence number of the first of `segments`. */
  mediaSequence: number;
  /** Discontinuities that have left the playlist. */
  discontinuitySequence: number;
  /** Every segment starts with a keyframe. */
  hasIndependentSegments: boolean;
  /** How far from the end a classic player plays: three target durations or more. */
  holdBackMs?: number;
  /** Null writes a classic playlist, in which parts, hint and blocking reload are left out. */
  lowLatency: Readonly<{ partTargetMs: number /** three part targets or more */; partHoldBackMs: number }> | null;
  segments: readonly PlaylistSegment[];
  /** The segment being made; null when none was begun. */
  open: PlaylistSegmentStart | null;
  /** URI of the next part to come. */
  preloadHintUri: string | null;
  isEnded: boolean;
}>;

/** A rendition that a multivariant playlist offers. */
export type PlaylistVariant = Readonly<{
  uri: string;
  /** Peak bits per second of any segment. */
  bandwidthBps: number;
  averageBandwidthBps?: number;
  /** RFC 6381 strings, e.g. `avc1.64001f`, `mp4a.40.2`. */
  codecs: readonly string[];
  resolution?: Readonly<{ widthPx: number; heightPx: number }>;
  frameRate?: number;
}>;

/** A multivariant playlist. */
export type MultivariantPlaylist = Readonly<{ hasIndependentSegments: boolean; variants: readonly PlaylistVariant[] }>;

const VERSION_OF_MAP = 6;
const VERSION_OF_LOW_LATENCY = 9;

/** The text of a media playlist. Throws RangeError for a URI that cannot be written. */
export function encodeMediaPlaylist(playlist: MediaPlaylist): string {
  const { lowLatency } = playlist;
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${lowLatency === null ? VERSION_OF_MAP : VERSION_OF_LOW_LATENCY}`,
    `#EXT-X-TARGETDURATION:${Math.round(playlist.targetDurationMs / 1_000)}`,
    ...serverControl(playlist),
    `#EXT-X-MEDIA-SEQUENCE:${playlist.mediaSequence}`,
  ];
  if (playlist.discontinuitySequence > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${playlist.discontinuitySequence}`);
  if (playlist.hasIndependentSegments) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  let mapUri = '';
  const begin = (segment: PlaylistSegmentStart): void => {
    pushSegmentStart(lines, segment, mapUri, lowLatency !== null);
    mapUri = segment.mapUri;
  };
  for (const segment of playlist.segments) {
    begin(segment);
    if (segment.isGap === true) lines.push('#EXT-X-GAP');
    lines.push(`#EXTINF:${seconds(segment.durationMs)},`, checkedUri(segment.uri));
  }
  if (lowLatency !== null) {
    if (playlist.open !== null) begin(playlist.open);
    if (playlist.preloadHintUri !== null && !playlist.isEnded) {
      lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI=${quoted(playlist.preloadHintUri)}`);
    }
  }
  if (playlist.isEnded) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/** The text of a multivariant playlist. Throws RangeError for a text that cannot be written. */
export function encodeMultivariantPlaylist(playlist: MultivariantPlaylist): string {
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${VERSION_OF_MAP}`];
  if (playlist.hasIndependentSegments) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  for (const variant of playlist.variants) {
    const { averageBandwidthBps, resolution, frameRate } = variant;
    const attributes = [`BANDWIDTH=${Math.ceil(variant.bandwidthBps)}`];
    if (averageBandwidthBps !== undefined) attributes.push(`AVERAGE-BANDWIDTH=${Math.ceil(averageBandwidthBps)}`);
    if (variant.codecs.length > 0) attributes.push(`CODECS=${quoted(variant.codecs.join(','))}`);
    if (resolution !== undefined) attributes.push(`RESOLUTION=${resolution.widthPx}x${resolution.heightPx}`);
    if (frameRate !== undefined) attributes.push(`FRAME-RATE=${frameRate.toFixed(3)}`);
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, checkedUri(variant.uri));
  }
  return `${lines.join('\n')}\n`;
}

function serverControl({ lowLatency, holdBackMs }: MediaPlaylist): string[] {
  const attributes = [
    ...(lowLatency === null ? [] : ['CAN-BLOCK-RELOAD=YES', `PART-HOLD-BACK=${seconds(lowLatency.partHoldBackMs)}`]),
    ...(holdBackMs === undefined ? [] : [`HOLD-BACK=${seconds(holdBackMs)}`]),
  ];
  return [
    ...(attributes.length === 0 ? [] : [`#EXT-X-SERVER-CONTROL:${attributes.join(',')}`]),
    ...(lowLatency === null ? [] : [`#EXT-X-PART-INF:PART-TARGET=${seconds(lowLatency.partTargetMs)}`]),
  ];
}

function pushSegmentStart(lines: string[], segment: PlaylistSegmentStart, mapUri: string, hasParts: boolean): void {
  if (segment.isDiscontinuity) lines.push('#EXT-X-DISCONTINUITY');
  if (segment.mapUri !== mapUri) lines.push(`#EXT-X-MAP:URI=${quoted(segment.mapUri)}`);
  if (segment.programDateTimeMs !== null) {
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.programDateTimeMs).toISOString()}`);
  }
  if (!hasParts) return;
  for (const part of segment.parts) {
    const independent = part.isIndependent ? ',INDEPENDENT=YES' : '';
    const gap = part.isGap === true ? ',GAP=YES' : '';
    lines.push(`#EXT-X-PART:DURATION=${seconds(part.durationMs)},URI=${quoted(part.uri)}${independent}${gap}`);
  }
}

function seconds(durationMs: number): string {
  return (durationMs / 1_000).toFixed(Number.isInteger(durationMs) ? 3 : 6);
}

function quoted(text: string): string {
  return `"${checkedUri(text)}"`;
}

function checkedUri(text: string): string {
  if (/["\r\n]/.test(text)) throw new RangeError('a playlist text holds a quote or a line break');
  return text;
}
