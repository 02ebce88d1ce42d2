import { expect, test } from 'vitest';
import { ASKS_MAX, askUntilDecided } from './ask-until-decided.ts';

/** Answers "not yet" so many times; time for so many pauses. */
async function check(pendingTimes: number, pausesMax = Number.POSITIVE_INFINITY) {
  let [asked, waitedMs, pauses] = [0, 0, 0];
  const decision = await askUntilDecided(
    () => {
      asked += 1;
      return Promise.resolve(asked > pendingTimes ? 'paid' : 'pending');
    },
    (answer) => answer === 'pending',
    (ms) => {
      pauses += 1;
      waitedMs += ms;
      return Promise.resolve(pauses <= pausesMax);
    },
  );
  return { ...decision, asked, waitedMs };
}

test('a decided answer is taken at once, a pending one is asked for again', async () => {
  expect(await check(0)).toEqual({ answer: 'paid', isGivenUp: false, asked: 1, waitedMs: 0 });
  expect(await check(3)).toEqual({ answer: 'paid', isGivenUp: false, asked: 4, waitedMs: 1750 });
});

test('asking ends at its bound, after about half a minute', async () => {
  const { waitedMs, ...decision } = await check(Number.POSITIVE_INFINITY);
  expect(decision).toEqual({ answer: 'pending', isGivenUp: true, asked: ASKS_MAX });
  expect(waitedMs).toBeGreaterThan(25_000);
  expect(waitedMs).toBeLessThan(35_000);
});

test('who has to leave earlier has not given up', async () => {
  expect(await check(Number.POSITIVE_INFINITY, 2)).toMatchObject({ answer: 'pending', isGivenUp: false, asked: 3 });
});
