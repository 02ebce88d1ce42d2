import type { Order } from '@showfloor/protocol';
import { expect, test } from 'vitest';
import { ApiProblem } from '../api/http.ts';
import {
  CONFIRM_PERIOD_MS,
  CONFIRM_REPEATS_MAX,
  PAY_RETRY_DELAYS_MS,
  type PayOutcome,
  payUntilSettled,
} from './pay.ts';

const order = { id: 'o', number: 'SF-000001', status: 'paid' } as Order;
const pending: Order = { ...order, status: 'pending_payment' };

function problem(status: number, reason: ApiProblem['reason'], retryAfterMs?: number): ApiProblem {
  return new ApiProblem({ status, reason, detail: 'No.', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

/** Runs against scripted answers; the last one repeats. Returns what came out and the waits in between. */
async function pay(...answers: readonly (Order | ApiProblem)[]): Promise<{ outcome: PayOutcome; waits: number[] }> {
  const waits: number[] = [];
  let asked = 0;
  const outcome = await payUntilSettled({
    ask: async () => {
      const answer = answers[Math.min(asked, answers.length - 1)];
      asked += 1;
      if (answer === undefined || answer instanceof ApiProblem) throw answer;
      return answer;
    },
    wait: async (delayMs) => void waits.push(delayMs),
    onRepeat: () => undefined,
  });
  return { outcome, waits };
}

test('a dead line is asked again until the order is there', async () => {
  const { outcome, waits } = await pay(problem(0, 'unavailable'), problem(503, 'unavailable'), order);
  expect(outcome).toEqual({ kind: 'paid', order });
  expect(waits).toEqual([1_000, 2_000]);
});

test('the shop decides how long to wait when it says so', async () => {
  expect((await pay(problem(503, 'unavailable', 3_000), order)).waits).toEqual([3_000]);
});

test('a decline is final at once', async () => {
  const { outcome, waits } = await pay(problem(402, 'payment_declined'));
  expect(outcome).toMatchObject({ kind: 'refused', isOpen: false });
  expect(waits).toEqual([]);
});

test('an attempt that is still being worked on is asked for again', async () => {
  expect((await pay(problem(409, 'conflict'), order)).outcome.kind).toBe('paid');
});

test('when the shop stays away the attempt stays open', async () => {
  const { outcome, waits } = await pay(problem(0, 'unavailable'));
  expect(outcome).toMatchObject({ kind: 'refused', isOpen: true });
  expect(waits).toEqual([...PAY_RETRY_DELAYS_MS]);
});

test('an order that waits for its payment is no receipt: it is asked for until it is paid', async () => {
  const { outcome, waits } = await pay(pending, pending, order);
  expect(outcome).toEqual({ kind: 'paid', order });
  expect(waits).toEqual([CONFIRM_PERIOD_MS, CONFIRM_PERIOD_MS]);
});

test('an order whose money was returned ends in the refusal that says so', async () => {
  const { outcome } = await pay(pending, problem(409, 'insufficient_stock'));
  expect(outcome).toMatchObject({ kind: 'refused', isOpen: false, problem: { reason: 'insufficient_stock' } });
});

test('an order that is never confirmed stays open', async () => {
  const { outcome, waits } = await pay(pending);
  expect(outcome).toEqual({ kind: 'unconfirmed' });
  expect(waits).toHaveLength(CONFIRM_REPEATS_MAX);
});
