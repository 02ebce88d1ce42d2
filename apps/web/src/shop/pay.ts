import type { Order } from '@showfloor/protocol';
import { type ApiProblem, asProblem } from '../api/http.ts';
import { isSettled } from './checkout-attempt.ts';

/** Outcome of an attempt. `isOpen`: the shop never answered, the same attempt must be asked for again later. */
export type PayOutcome =
  | { readonly kind: 'paid'; readonly order: Order }
  | { readonly kind: 'refused'; readonly problem: ApiProblem; readonly isOpen: boolean };

/** Waits between repeats of one attempt while the shop does not answer: about half a minute in all. */
export const PAY_RETRY_DELAYS_MS = [1_000, 2_000, 4_000, 8_000, 8_000, 8_000] as const;

export type PayTools = {
  /** Asks the shop, always with the same key and body. */
  readonly ask: () => Promise<Order>;
  readonly wait: (delayMs: number) => Promise<void>;
  /** Told before each repeat. */
  readonly onRepeat: () => void;
};

/** Asks for one purchase until the shop decided or the repeats are used up. Never throws. */
export async function payUntilSettled({ ask, wait, onRepeat }: PayTools): Promise<PayOutcome> {
  for (let repeat = 0; ; repeat += 1) {
    try {
      return { kind: 'paid', order: await ask() };
    } catch (error) {
      const problem = asProblem(error);
      const isOpen = !isSettled(problem.status, problem.reason);
      const delayMs = PAY_RETRY_DELAYS_MS[repeat];
      if (!isOpen || delayMs === undefined) return { kind: 'refused', problem, isOpen };
      onRepeat();
      await wait(problem.retryAfterMs ?? delayMs);
    }
  }
}
