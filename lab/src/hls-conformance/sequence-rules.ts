import type { ListedSegment, MediaPlaylist } from './media-playlist.ts';
import { durationOf } from './playlist-rules.ts';
import type { RuleBook } from './rules.ts';

/** Rules between two versions of a media playlist, the second fetched after the first. */
export function checkUpdate(book: RuleBook, before: MediaPlaylist, after: MediaPlaylist): void {
  const { targetDurationS, partTargetMs } = after;
  book.hold(
    'target-duration.constant',
    targetDurationS === before.targetDurationS,
    () => `${before.targetDurationS} → ${targetDurationS} s`,
  );
  if (before.partTargetMs !== null || partTargetMs !== null) {
    book.hold(
      'part-target.constant',
      partTargetMs === before.partTargetMs,
      () => `${before.partTargetMs} → ${partTargetMs} ms`,
    );
  }
  const text = (): string => `${before.mediaSequence} → ${after.mediaSequence}`;
  book.hold(
    'sequence.no-regression',
    after.mediaSequence >= before.mediaSequence && lastOf(after) >= lastOf(before),
    text,
  );
  checkFront(book, before, after);
  checkWindow(book, before, after);
  if (before.isEnded) {
    book.hold(
      'sequence.nothing-after-end',
      after.isEnded && lastOf(after) === lastOf(before),
      () => 'the list went on',
    );
  }
  const known = new Map(after.segments.map((segment) => [segment.mediaSequence, segment]));
  for (const segment of before.segments) {
    const now = known.get(segment.mediaSequence);
    if (now !== undefined) checkSame(book, segment, now);
  }
  checkHint(book, before, after);
}

/** A stream that has just begun may be short; one that removes segments may not. */
function checkWindow(book: RuleBook, before: MediaPlaylist, after: MediaPlaylist): void {
  if (after.mediaSequence <= before.mediaSequence) return;
  const totalMs = after.segments.reduce((sum, segment) => sum + durationOf(segment), 0);
  const leastMs = (after.targetDurationS ?? 0) * 3_000;
  book.hold('window.long-enough', totalMs >= leastMs, () => `${totalMs} of ${leastMs} ms`);
}

function lastOf(list: MediaPlaylist): number {
  return list.segments.at(-1)?.mediaSequence ?? list.mediaSequence;
}

/** What left the list left at the front; nothing was skipped at the end. */
function checkFront(book: RuleBook, before: MediaPlaylist, after: MediaPlaylist): void {
  const isConnected = after.mediaSequence <= lastOf(before) + 1;
  book.hold(
    'sequence.only-appended',
    isConnected,
    () => `after ${lastOf(before)} the list begins with ${after.mediaSequence}`,
  );
  if (!isConnected) return;
  const gone = before.segments.filter(({ mediaSequence }) => mediaSequence < after.mediaSequence);
  const first = after.segments[0];
  const counted = gone.filter(({ hasDiscontinuity }) => hasDiscontinuity).length;
  // The tag of what is now the first segment may go ahead of it.
  const isFirstMarked = first !== undefined && isMarkedIn(before, first) && !first.hasDiscontinuity;
  const expected = before.discontinuitySequence + counted + (isFirstMarked ? 1 : 0);
  const actual = after.discontinuitySequence;
  book.hold(
    'sequence.discontinuity',
    actual === expected,
    () => `${before.discontinuitySequence} → ${actual}, expected ${expected}`,
  );
}

function isMarkedIn(list: MediaPlaylist, segment: ListedSegment): boolean {
  return list.segments.some((one) => one.mediaSequence === segment.mediaSequence && one.hasDiscontinuity);
}

function checkSame(book: RuleBook, before: ListedSegment, after: ListedSegment): void {
  const name = `segment ${before.mediaSequence}`;
  if (before.uri !== null) {
    const isSame = after.uri === before.uri && after.durationMs === before.durationMs && after.mapUri === before.mapUri;
    book.hold('sequence.same-number-same-segment', isSame, () => `${name}: ${before.uri} → ${after.uri}`);
  }
  for (const [index, part] of before.parts.entries()) {
    const now = after.parts[index];
    if (now === undefined && after.parts.length === 0 && after.uri !== null) return; // parts of an older segment are let go
    const isSame = now !== undefined && now.uri === part.uri && now.durationMs === part.durationMs;
    book.hold('sequence.parts-kept', isSame, () => `${name}: part ${part.uri} → ${now?.uri ?? 'gone'}`);
  }
}

function checkHint(book: RuleBook, before: MediaPlaylist, after: MediaPlaylist): void {
  const hinted = before.preloadHintUri;
  if (hinted === null || after.preloadHintUri === hinted) return;
  const isGoneFromList =
    after.segments.every(({ parts }) => parts.length === 0) || after.mediaSequence > lastOf(before);
  if (isGoneFromList) return;
  const isThere = after.segments.some(({ parts }) => parts.some(({ uri }) => uri === hinted));
  // A segment may end where a part was hinted: then the hint is for nothing, and players let it go. Section 4.4.5.3.
  const next = after.segments.find(({ mediaSequence }) => mediaSequence === lastOf(before));
  const hasEnded =
    next !== undefined && next.uri !== null && next.parts.length === before.segments.at(-1)?.parts.length;
  book.hold('preload-hint.kept', isThere || hasEnded || after.isEnded, () => `${hinted} never came`);
}
