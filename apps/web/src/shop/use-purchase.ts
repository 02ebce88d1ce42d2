import type { Checkout, Order } from '@showfloor/protocol';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ApiProblem } from '../api/http.ts';
import { randomId } from '../api/random-id.ts';
import { checkOut } from '../api/shop-api.ts';
import { attemptStorage } from './attempt-storage.ts';
import { beginAttempt, pendingAttempt, settleAttempt } from './checkout-attempt.ts';
import { payUntilSettled, type RepeatReason } from './pay.ts';

export type Purchase =
  | { readonly kind: 'idle' }
  /** `isResumed`: begun before a reload. `repeating`: why the shop is being asked again; null at first. */
  | { readonly kind: 'paying'; readonly isResumed: boolean; readonly repeating: RepeatReason | null }
  | { readonly kind: 'unconfirmed' }
  | { readonly kind: 'refused'; readonly problem: ApiProblem; readonly isOpen: boolean }
  | { readonly kind: 'paid'; readonly order: Order };

export type PurchaseHandle = {
  readonly purchase: Purchase;
  readonly pay: (body: Checkout) => void;
  /** Asks again for the attempt whose outcome is open. */
  readonly payAgain: () => void;
  readonly reset: () => void;
};

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** One purchase at a time. An attempt left open by a reload is taken up again by itself. */
export function usePurchase(onSettled: (purchase: Purchase) => void, onResumed: () => void): PurchaseHandle {
  const [purchase, setPurchase] = useState<Purchase>({ kind: 'idle' });
  const isBusy = useRef(false);
  const tell = useRef({ onSettled, onResumed });
  tell.current = { onSettled, onResumed };

  const run = useCallback(async (body: Checkout, isResumed: boolean): Promise<void> => {
    if (isBusy.current) return;
    isBusy.current = true;
    const attempt = beginAttempt(attemptStorage, body, randomId);
    setPurchase({ kind: 'paying', isResumed, repeating: null });
    const outcome = await payUntilSettled({
      ask: () => checkOut(attempt.body, attempt.key),
      wait: pause,
      onRepeat: (repeating) => setPurchase({ kind: 'paying', isResumed, repeating }),
    });
    isBusy.current = false;
    if (outcome.kind === 'paid' || (outcome.kind === 'refused' && !outcome.isOpen)) settleAttempt(attemptStorage);
    setPurchase(outcome);
    tell.current.onSettled(outcome);
  }, []);

  const payAgain = useCallback(() => {
    const open = pendingAttempt(attemptStorage);
    if (open !== null) void run(open.body, false);
  }, [run]);

  useEffect(() => {
    const open = pendingAttempt(attemptStorage);
    if (open === null || !open.isSent) return;
    tell.current.onResumed();
    void run(open.body, true);
  }, [run]);

  return {
    purchase,
    pay: (body) => void run(body, false),
    payAgain,
    reset: () => setPurchase((now) => (now.kind === 'paying' ? now : { kind: 'idle' })),
  };
}
