import { parse, setOptions } from 'hls-parser';
import type { ListedSegment, MediaPlaylist } from './media-playlist.ts';
import type { RuleBook } from './rules.ts';

/** The smallest step in which durations are written; two roundings may differ by it. */
const ROUNDING_MS = 1.5;
const PART_FILL_MIN = 0.85;
/** Version that covers the low-latency tags. Section 8. */
const LOW_LATENCY_VERSION = 6;

setOptions({ strictMode: true, silent: true }); // a second opinion that is heard

/** Rules that one media playlist can break by itself. `text` is what `list` was read from. */
export function checkPlaylist(book: RuleBook, list: MediaPlaylist, text: string): void {
  book.hold('playlist.parses', list.problems.length === 0, () => list.problems.join('; '));
  book.hold('playlist.version', list.version >= LOW_LATENCY_VERSION, () => `version ${list.version}`);
  checkOtherParser(book, list, text);
  checkTargets(book, list);
  checkHoldBack(book, list);
  checkWindow(book, list);
  for (const segment of list.segments) checkSegment(book, segment);
}

function checkOtherParser(book: RuleBook, list: MediaPlaylist, text: string): void {
  let seen = '';
  try {
    const other = parse(text);
    if (!other.isMasterPlaylist)
      seen = other.segments
        .map(({ uri }) => uri)
        .filter(Boolean)
        .join(' ');
  } catch (error) {
    seen = String(error);
  }
  const ours = list.segments.flatMap(({ uri }) => (uri === null ? [] : [uri])).join(' ');
  book.hold('playlist.other-parser', seen === ours, () => `hls-parser: ${seen}`);
}

function checkTargets(book: RuleBook, list: MediaPlaylist): void {
  for (const { durationMs, mediaSequence } of list.segments) {
    if (durationMs === null) continue;
    const isCovered = Math.round(durationMs / 1_000) <= (list.targetDurationS ?? 0);
    book.hold('target-duration.covers', isCovered, () => `segment ${mediaSequence} lasts ${durationMs} ms`);
  }
  const { partTargetMs } = list;
  if (partTargetMs === null) return;
  for (const { parts, uri } of list.segments) {
    for (const [index, part] of parts.entries()) {
      const text = (): string => `${part.uri} lasts ${part.durationMs} ms, target ${partTargetMs}`;
      book.hold('part-target.covers', part.durationMs <= partTargetMs + ROUNDING_MS, text);
      const mayBeShort = part.isGap || (uri !== null && index === parts.length - 1);
      // The newest part may turn out to be the last of its segment.
      const isNewest = uri === null && index === parts.length - 1;
      if (mayBeShort || isNewest) continue;
      book.hold('part-target.filled', part.durationMs >= partTargetMs * PART_FILL_MIN - ROUNDING_MS, text);
    }
  }
}

function checkHoldBack(book: RuleBook, list: MediaPlaylist): void {
  const { partTargetMs, partHoldBackMs, holdBackMs, targetDurationS } = list;
  if (partTargetMs !== null) {
    const text = (): string => `PART-HOLD-BACK ${partHoldBackMs} ms, part target ${partTargetMs} ms`;
    book.hold('hold-back.part', (partHoldBackMs ?? 0) >= partTargetMs * 2 - ROUNDING_MS, text);
    book.hold('hold-back.part-three', (partHoldBackMs ?? 0) >= partTargetMs * 3 - ROUNDING_MS, text);
    book.hold('preload-hint.present', list.isEnded || list.preloadHintUri !== null, () => 'no PRELOAD-HINT');
  }
  if (holdBackMs !== null) {
    const isHeld = holdBackMs >= (targetDurationS ?? 0) * 3_000;
    book.hold('hold-back.segment', isHeld, () => `HOLD-BACK ${holdBackMs} ms, target ${targetDurationS} s`);
  }
}

function checkWindow(book: RuleBook, list: MediaPlaylist): void {
  const targetMs = (list.targetDurationS ?? 0) * 1_000;
  let fromEndMs = 0;
  for (const segment of list.segments.toReversed()) {
    if (segment.parts.length > 0 && segment.uri !== null) {
      // One segment of tolerance: a part leaves with its segment.
      const isRecent = fromEndMs <= targetMs * 4;
      book.hold(
        'parts.recent-only',
        isRecent,
        () => `segment ${segment.mediaSequence} is ${fromEndMs} ms from the end`,
      );
    }
    fromEndMs += durationOf(segment);
  }
  checkDates(book, list);
}

function checkDates(book: RuleBook, list: MediaPlaylist): void {
  if (list.partTargetMs === null) return;
  const isDated = list.segments[0]?.dateTimeMs !== undefined && list.segments[0].dateTimeMs !== null;
  book.hold('date-time.present', isDated, () => 'the first segment has no PROGRAM-DATE-TIME');
  let expectedMs: number | null = null;
  for (const segment of list.segments) {
    const { dateTimeMs, hasDiscontinuity } = segment;
    if (dateTimeMs !== null && expectedMs !== null && !hasDiscontinuity) {
      const offMs = dateTimeMs - expectedMs;
      book.hold(
        'date-time.runs',
        Math.abs(offMs) <= DATE_DRIFT_MS_MAX,
        () => `segment ${segment.mediaSequence}: ${offMs} ms off`,
      );
    }
    const startMs: number | null = dateTimeMs ?? expectedMs;
    expectedMs = startMs === null ? null : startMs + durationOf(segment);
  }
}

/** Slow correction of drift is allowed, arrival times per segment are not. */
const DATE_DRIFT_MS_MAX = 50;

function checkSegment(book: RuleBook, segment: ListedSegment): void {
  const name = `segment ${segment.mediaSequence}`;
  const isFragmented = [segment.uri, ...segment.parts.map(({ uri }) => uri)].some((uri) =>
    /\.(m4s|mp4|cmf[va])(\?|$)/.test(uri ?? ''),
  );
  if (isFragmented) book.hold('map.present', segment.mapUri !== null, () => name);
  if (segment.uri === null || segment.durationMs === null || segment.parts.length === 0) return;
  const sum = segment.parts.reduce((total, part) => total + part.durationMs, 0);
  const tolerance = ROUNDING_MS * (segment.parts.length + 1);
  book.hold(
    'parts.sum',
    Math.abs(sum - segment.durationMs) <= tolerance,
    () => `${name}: ${sum} of ${segment.durationMs} ms`,
  );
}

/** Of a whole segment, or of the parts that are there. */
export function durationOf(segment: ListedSegment): number {
  return segment.durationMs ?? segment.parts.reduce((sum, part) => sum + part.durationMs, 0);
}
