import { setTimeout as sleep } from 'node:timers/promises';
import type { Checkout, Order, Reason } from '@showfloor/protocol';
import { assert, assertNever, type Counter } from '@showfloor/service-kit';
import type { Kysely } from 'kysely';
import { releaseExpired } from '../carts/release-holds.ts';
import type { Tables } from '../database/tables.ts';
import { ProviderUnavailable } from '../payments/guarded-provider.ts';
import type { PaymentProvider } from '../payments/payment-provider.ts';
import { settleAs } from '../payments/reconcile-payments.ts';
import {
  finishKey,
  forgetKey,
  type Lease,
  LeaseLost,
  releaseKey,
  requestHash,
  takeKey,
  whileLeased,
} from './idempotency.ts';
import { orderOf } from './orders.ts';
import { placeOrder } from './place-order.ts';

export type CheckoutRequest = {
  readonly userId: string;
  readonly email: string | null;
  readonly key: string;
  readonly body: Checkout;
};
/** `detail`: what to tell the buyer when the reason alone would not. The order is paid, or waits for its payment. */
export type CheckoutResult =
  | { readonly ok: true; readonly order: Order }
  | { readonly ok: false; readonly reason: Reason; readonly detail?: string };
export type CheckoutDeps = {
  readonly db: Kysely<Tables>;
  readonly provider: PaymentProvider;
  readonly outcomes?: Counter<'outcome'>;
};

/** A repetition waits this long for the request it repeats. */
const WAIT_MS = 12_000;
const WAIT_STEP_MS = 60;
const REFUNDED_DETAIL =
  'The payment came through after the reservation had run out, and the units were gone. All of the money was returned.';

/**
 * Buys the whole cart: order, charge, settlement, each its own transaction, so that a crash between any two is finished
 * later by a repetition of the request or by the worker. Repetitions of a key wait for the first and get its answer; an
 * answer is final (and stored) once the payment is settled. An order whose payment's outcome is not known yet is returned
 * as `pending_payment`: ask again with the same key, or read the order.
 */
export async function checkOut(deps: CheckoutDeps, request: CheckoutRequest): Promise<CheckoutResult> {
  const hash = requestHash(request.body);
  const deadlineMs = Date.now() + WAIT_MS;
  for (;;) {
    const taken = await takeKey(deps.db, { userId: request.userId, key: request.key, hash });
    switch (taken.state) {
      case 'other_body':
        return { ok: false, reason: 'body_mismatch' };
      case 'done':
        return finalResult(taken.response.body as CheckoutResult);
      case 'mine': {
        const result = await work(deps, request, taken.lease, taken.orderId);
        if (result !== null) {
          deps.outcomes?.inc({ outcome: result.ok ? result.order.status : result.reason });
          return result;
        }
        break;
      }
      case 'busy':
        break;
    }
    if (Date.now() > deadlineMs) return { ok: false, reason: 'payment_pending' };
    await sleep(WAIT_STEP_MS);
  }
}

/** Null: another holder has the key now. */
async function work(
  deps: CheckoutDeps,
  request: CheckoutRequest,
  lease: Lease,
  reachedOrderId: string | null,
): Promise<CheckoutResult | null> {
  const { db } = deps;
  try {
    return await whileLeased(db, lease, async () => {
      const placed =
        reachedOrderId === null
          ? await placeOrder(db, request, deps.provider.name, lease, request.body)
          : { ok: true as const, orderId: reachedOrderId };
      if (!placed.ok) {
        // The cart no longer shows what has run out: it must not stand in the way of the rest a second time.
        if (placed.reason === 'hold_expired') await releaseExpired(db, { userIds: [request.userId] });
        await forgetKey(db, lease);
        return placed;
      }
      const result = await pay(deps, request, placed.orderId);
      if (result.ok && result.order.status === 'pending_payment') await releaseKey(db, lease);
      else await finishKey(db, lease, { status: statusOf(result), body: result });
      return result;
    });
  } catch (error) {
    if (error instanceof LeaseLost) return null;
    await releaseKey(db, lease).catch(() => undefined); // PostgreSQL is gone: the lease runs out by itself
    throw error;
  }
}

/** Charges an order that waits for its payment; one that does not is returned as it is. */
async function pay(deps: CheckoutDeps, request: CheckoutRequest, orderId: string): Promise<CheckoutResult> {
  const { db, provider } = deps;
  const payment = await db
    .updateTable('payments')
    .set({ attempted_at: new Date(), next_check_at: new Date() })
    .where('order_id', '=', orderId)
    .where('status', '=', 'processing')
    .returning(['id', 'amount_minor', 'currency'])
    .executeTakeFirst();
  if (payment !== undefined) {
    try {
      const charge = {
        paymentId: payment.id,
        amountMinor: payment.amount_minor,
        currency: payment.currency,
        method: request.body.payment.card,
      };
      const state = await provider.charge(charge, AbortSignal.timeout(WAIT_MS));
      await settleAs(db, provider, payment.id, state);
    } catch (error) {
      if (!(error instanceof ProviderUnavailable)) throw error;
      // The outcome is not known: the worker asks for it.
    }
  }
  const order = await orderOf(db, request.userId, orderId);
  assert(order !== null, 'the order of a checkout is not there');
  return finalResult({ ok: true, order });
}

/** An order that came to nothing is no success: nobody may read it as a receipt. */
function finalResult(result: CheckoutResult): CheckoutResult {
  if (!result.ok) return result;
  switch (result.order.status) {
    case 'paid':
    case 'pending_payment':
      return result;
    case 'payment_failed':
      return { ok: false, reason: 'payment_declined' };
    case 'refunded':
      return { ok: false, reason: 'insufficient_stock', detail: REFUNDED_DETAIL };
    default:
      return assertNever(result.order.status);
  }
}

function statusOf(result: CheckoutResult): number {
  if (result.ok) return 201;
  return result.reason === 'payment_declined' ? 402 : 409;
}
