import type { Cart, Checkout } from '@showfloor/protocol';

/**
 * One attempt to pay: the key under which the server knows it, and the exact body. It lives in the tab's session
 * storage, so that a reload or a dead line asks for the same purchase again and never for a second one. The test
 * provider's card number is no secret; other providers hand over a token here.
 */
export type CheckoutAttempt = {
  readonly key: string;
  readonly body: Checkout;
  /** The request left this browser at least once and its outcome is unknown. */
  readonly isSent: boolean;
};

/** The part of `Storage` that is needed. */
export type AttemptStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const STORAGE_KEY = 'showfloor.checkout-attempt';

/** What the buyer agrees to by pressing a button that shows the cart's total: this total, and no other. */
export function checkoutOf(
  cart: Pick<Cart, 'totalMinor' | 'currency'>,
  form: { readonly email: string; readonly card: string },
): Checkout {
  const email = form.email.trim();
  return {
    ...(email === '' ? {} : { email }),
    payment: { provider: 'test', card: form.card.trim() },
    expectedTotalMinor: cart.totalMinor,
    ...(cart.currency === null ? {} : { currency: cart.currency }),
  };
}

/**
 * The attempt to send for this body: the stored one when its outcome is unknown or the body is the same, otherwise a
 * new one. An unknown outcome wins over a changed form: it has to be settled first.
 */
export function beginAttempt(storage: AttemptStorage, body: Checkout, newKey: () => string): CheckoutAttempt {
  const stored = pendingAttempt(storage);
  const isSame = stored !== null && JSON.stringify(stored.body) === JSON.stringify(body);
  const attempt = stored !== null && (stored.isSent || isSame) ? stored : { key: newKey(), body, isSent: false };
  write(storage, { ...attempt, isSent: true });
  return { ...attempt, isSent: true };
}

/** The attempt whose outcome this tab does not know, or null. Unreadable leftovers are dropped. */
export function pendingAttempt(storage: AttemptStorage): CheckoutAttempt | null {
  try {
    const text = storage.getItem(STORAGE_KEY);
    if (text === null) return null;
    const stored: unknown = JSON.parse(text);
    if (isAttempt(stored)) return stored;
  } catch {
    // Storage refused or text cut: the attempt is lost to us, the server still has its answer under the key.
  }
  settleAttempt(storage);
  return null;
}

/** The outcome is known (paid, declined, refused): the next purchase gets a new key. */
export function settleAttempt(storage: AttemptStorage): void {
  try {
    storage.removeItem(STORAGE_KEY);
  } catch {
    // No storage in this browser mode: nothing was kept.
  }
}

/**
 * Statuses that settle an attempt: the server decided. 409 `conflict` means that the same key is still being worked on;
 * 5xx, 429, a proxy that has lost the shop and a dead line leave the outcome open. So does 401: whoever asked was not
 * known, so nobody looked at the attempt.
 */
export function isSettled(status: number, reason: string): boolean {
  if (status === 0 || status >= 500 || status === 429 || status === 401) return false;
  return !(reason === 'conflict' || reason === 'payment_pending' || reason === 'unavailable');
}

function write(storage: AttemptStorage, attempt: CheckoutAttempt): void {
  try {
    storage.setItem(STORAGE_KEY, JSON.stringify(attempt));
  } catch {
    // Full or refused: the key then lives as long as the page.
  }
}

function isAttempt(value: unknown): value is CheckoutAttempt {
  return (
    typeof value === 'object' &&
    value !== null &&
    'key' in value &&
    typeof value.key === 'string' &&
    'body' in value &&
    typeof value.body === 'object' &&
    value.body !== null &&
    'isSent' in value &&
    typeof value.isSent === 'boolean'
  );
}
