import { expect, test } from 'vitest';
import { WriteLanes } from './write-lanes.ts';

test('no more operations run at once than there are lanes; all run, in order, also after one that failed', async () => {
  const lanes = new WriteLanes(2);
  const began: number[] = [];
  const ends: (() => void)[] = [];
  const operations = [0, 1, 2, 3, 4].map((number) =>
    lanes.run(async () => {
      began.push(number);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (number === 1) throw new Error('the disk');
    }),
  );
  const outcomes = Promise.allSettled(operations);
  for (let ended = 0; ended < 5; ended += 1) {
    await new Promise(setImmediate);
    expect(began).toEqual([0, 1, 2, 3, 4].slice(0, ended + 2));
    ends[ended]?.();
  }
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    ...Array(3).fill('fulfilled'),
  ]);
  await lanes.run(() => Promise.resolve());
});
