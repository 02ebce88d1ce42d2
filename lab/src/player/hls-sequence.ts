/** What the numbers of two lists of one stream say about each other. Spec: draft-pantos-hls-rfc8216bis, 4.4.3.2, 6.2.2. Pure. */
import { type HlsList, segmentOf } from './hls-list.ts';

/** From one list to the next. */
export type SequenceChange = {
  /** How far the first or the last number went back; 0 is right. */
  readonly regressedBy: number;
  /** A segment that both list got another number: above 0 the server skipped numbers, below 0 it repeated some. */
  readonly renumberedBy: number;
  /** Numbers between the end of the old list and the start of the new one, which no list ever had. */
  readonly unseen: number;
};

/** Compares a list with the one before it. */
export function compareLists(before: HlsList, after: HlsList): SequenceChange {
  const regressedBy = Math.max(0, before.firstMsn - after.firstMsn, before.lastMsn - after.lastMsn);
  return {
    regressedBy,
    renumberedBy: regressedBy > 0 ? 0 : renumberedBy(before, after),
    unseen: Math.max(0, after.firstMsn - before.lastMsn - 1),
  };
}

/** By the newest whole segment of the old list: its URI must keep its number. */
function renumberedBy(before: HlsList, after: HlsList): number {
  const known = before.segments.findLast(({ whole }) => whole !== null);
  if (known === undefined || segmentOf(after, known.msn)?.whole?.uri === known.whole?.uri) return 0;
  const now = after.segments.find(({ whole }) => whole !== null && whole.uri === known.whole?.uri);
  return now === undefined ? 0 : now.msn - known.msn;
}
