import type { Order } from '@showfloor/protocol';
import { type ApiProblem, asProblem } from '../api/http.ts';
import { isSettled } from './checkout-attempt.ts';

/**
 * Outcome of an attempt. `isOpen`: the shop never answered; `unconfirmed`: it has an order and does not know yet whether it
 * is paid. Either way the same attempt must be asked for again later.
 */
export type PayOutcome =
  | { readonly kind: 'paid'; readonly order: Order }
  | { readonly kind: 'unconfirmed' }
  | { readonly kind: 'refused'; readonly problem: ApiProblem; readonly isOpen: boolean };

/** Waits between repeats of one attempt while the shop does not answer: about half a minute in all. */
export const PAY_RETRY_DELAYS_MS = [1_000, 2_000, 4_000, 8_000, 8_000, 8_000] as const;

/** An order that waits for its payment is asked for this often and, in all, about ten minutes long. */
export const CONFIRM_PERIOD_MS = 3_000;
export const CONFIRM_REPEATS_MAX = 200;

/** Why the attempt is sent again: no answer, or an answer that is not final. */
export type RepeatReason = 'unanswered' | 'unconfirmed';

export type PayTools = {
  /** Asks the shop, always with the same key and body. */
  readonly ask: () => Promise<Order>;
  readonly wait: (delayMs: number) => Promise<void>;
  /** Told before each repeat. */
  readonly onRepeat: (why: RepeatReason) => void;
};

/** Asks for one purchase until the shop decided or the repeats are used up. Only a paid order is a success. Never throws. */
export async function payUntilSettled({ ask, wait, onRepeat }: PayTools): Promise<PayOutcome> {
  let repeat = 0;
  let confirmations = 0;
  for (;;) {
    try {
      const order = await ask();
      if (order.status === 'paid') return { kind: 'paid', order };
      if (confirmations === CONFIRM_REPEATS_MAX) return { kind: 'unconfirmed' };
      confirmations += 1;
      repeat = 0;
      onRepeat('unconfirmed');
      await wait(CONFIRM_PERIOD_MS);
    } catch (error) {
      const problem = asProblem(error);
      const isOpen = !isSettled(problem.status, problem.reason);
      const delayMs = PAY_RETRY_DELAYS_MS[repeat];
      if (!isOpen || delayMs === undefined) return { kind: 'refused', problem, isOpen };
      repeat += 1;
      onRepeat('unanswered');
      await wait(problem.retryAfterMs ?? delayMs);
    }
  }
}
