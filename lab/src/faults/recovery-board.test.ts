import { expect, test } from 'vitest';
import { FreshPictures, RecoveryBoard, type ViewerRecovery } from './recovery-board.ts';

function board(): { readonly board: RecoveryBoard; readonly reports: (readonly [string, number | null])[] } {
  const reports: [string, number | null][] = [];
  const onReport = ({ fault, recoveryMs }: ViewerRecovery) => reports.push([fault, recoveryMs]);
  return { board: new RecoveryBoard(onReport), reports };
}

test('the clock starts when the fault is healed; who never lost the picture recovers at once', () => {
  const { board: one, reports } = board();
  one.shown(1, 'g', 0, 10_000);
  one.shown(2, 'g', 0, 10_000);
  one.on('cut', 'injected', 10_000);
  one.shown(2, 'g', 10_000, 20_000); // plays on
  one.on('cut', 'healed', 20_000);
  expect(reports).toEqual([]); // nobody has shown anything since
  one.shown(2, 'g', 20_000, 20_250);
  one.shown(1, 'g', 23_400, 23_500);
  one.shown(1, 'g', 23_500, 23_750);
  expect(reports).toEqual([
    ['cut', 0],
    ['cut', 3400],
  ]);
});

test('the healing is known a moment after it happened', () => {
  const { board: one, reports } = board();
  one.shown(1, 'g', 0, 10_000);
  one.on('cut', 'injected', 10_000);
  one.shown(1, 'g', 20_300, 20_500);
  one.on('cut', 'healed', 20_000);
  expect(reports).toEqual([['cut', 300]]);
});

test('who was not watching is not asked; who came back before the healing and lost it again waits', () => {
  const { board: one, reports } = board();
  one.shown(1, 'g', 0, 5000);
  one.shown(2, 'g', 0, 10_000);
  one.on('cut', 'injected', 10_000);
  one.shown(2, 'g', 12_000, 13_000);
  one.on('cut', 'healed', 20_000);
  one.shown(1, 'g', 20_100, 20_200);
  expect(reports).toEqual([]);
  one.shown(2, 'g', 21_000, 21_250);
  expect(reports).toEqual([['cut', 1000]]);
});

test('who is not back by the next fault, or by a late leave, is lost; who leaves early is neither', () => {
  const { board: one, reports } = board();
  for (const vu of [1, 2, 3]) one.shown(vu, 'g', 0, 10_000);
  one.on('cut', 'injected', 10_000);
  one.on('cut', 'healed', 20_000);
  one.left(1, 25_000);
  one.left(2, 51_000);
  expect(reports).toEqual([['cut', null]]);
  one.on('kill', 'injected', 60_000);
  expect(reports).toEqual([
    ['cut', null],
    ['cut', null],
  ]);
});

test('nobody recovers from a fault that could not be shown to work; from one that never healed nobody did', () => {
  const { board: one, reports } = board();
  one.shown(1, 'g', 0, 10_000);
  one.on('cut', 'injected', 10_000);
  one.on('cut', 'void', 11_000);
  one.on('cut', 'healed', 20_000);
  expect(reports).toEqual([]);
  one.shown(1, 'g', 20_000, 30_000);
  one.on('kill', 'injected', 30_000);
  one.on('kill', 'unhealed', 90_000);
  expect(reports).toEqual([['kill', null]]);
});

test('repeated pictures are not new ones; the instant the first new one is shown is exact', () => {
  const seen: [number, number][] = [];
  const fresh = new FreshPictures((fromMs, toMs) => seen.push([fromMs, toMs]));
  const look = (nowMs: number, playheadMs: number, playedMs: number) =>
    fresh.look(nowMs, { playheadMs, totals: { playedMs } });
  look(1000, 100_000, 250);
  look(1250, 100_250, 500);
  look(1500, 100_250, 500); // stalled
  look(9000, 99_400, 600); // a new connection begins with what was shown before
  look(9250, 99_650, 850);
  look(9900, 100_300, 1500); // 50 ms beyond what was shown
  look(10_150, 100_550, 1750);
  look(20_000, 200, 200); // another player, another timeline
  expect(seen).toEqual([
    [750, 1000],
    [1000, 1250],
    [9850, 9900],
    [9900, 10_150],
    [19_800, 20_000],
  ]);
});
