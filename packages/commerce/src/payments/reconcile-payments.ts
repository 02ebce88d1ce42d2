import type { Logger } from '@showfloor/service-kit';
import type { Kysely } from 'kysely';
import type { PaymentStatus, Tables } from '../database/tables.ts';
import type { ChargeState, PaymentProvider } from './payment-provider.ts';
import { recordRefund, settlePayment } from './settle-payment.ts';

export type ReconcileOptions = {
  readonly db: Kysely<Tables>;
  readonly provider: PaymentProvider;
  readonly log: Logger;
  /** A payment that is processing for longer than this is asked about. */
  readonly lookUpAfterMs?: number;
  /**
   * A payment the provider has not heard of by then is cancelled there, so that it can never be charged any more, and
   * fails. Longer than every attempt of a charge together.
   */
  readonly giveUpAfterMs?: number;
};

const LOOK_UP_AFTER_MS = 3_000;
const GIVE_UP_AFTER_MS = 20_000;
const PAYMENTS_PER_PASS_MAX = 100;

/**
 * Finishes what a dead or impatient process has left: asks the provider about each open payment, then settles it, fails it,
 * or refunds it. May run at any time and many times. Resolves with the number of payments it brought to an end.
 */
export async function reconcilePayments(options: ReconcileOptions): Promise<number> {
  const { db, log } = options;
  const open = await db
    .selectFrom('payments')
    .select(['id', 'status', 'attempted_at'])
    .where('status', 'in', ['processing', 'refund_due'])
    .where((where) =>
      where.or([
        where('status', '=', 'refund_due'),
        where('attempted_at', '<', new Date(Date.now() - (options.lookUpAfterMs ?? LOOK_UP_AFTER_MS))),
      ]),
    )
    .orderBy('attempted_at')
    .limit(PAYMENTS_PER_PASS_MAX)
    .execute();
  let finished = 0;
  for (const payment of open) {
    try {
      const status = await finish(options, payment);
      if (status === 'processing' || status === 'refund_due') continue;
      finished += 1;
      log.info({ paymentId: payment.id, status }, 'payment.reconciled');
    } catch (error) {
      log.warn({ err: error, paymentId: payment.id }, 'payment.reconcile_failed'); // asked again next time
    }
  }
  return finished;
}

async function finish(
  options: ReconcileOptions,
  payment: { readonly id: string; readonly status: PaymentStatus; readonly attempted_at: Date },
): Promise<PaymentStatus> {
  const { db, provider } = options;
  if (payment.status === 'refund_due') return refundPayment(db, provider, payment.id);
  const signal = AbortSignal.timeout(options.giveUpAfterMs ?? GIVE_UP_AFTER_MS);
  let state = await provider.lookUp(payment.id, signal);
  if (state === 'unknown') {
    const ageMs = Date.now() - payment.attempted_at.getTime();
    if (ageMs < (options.giveUpAfterMs ?? GIVE_UP_AFTER_MS)) return 'processing';
    state = await provider.cancel(payment.id, signal);
  }
  return settleAs(db, provider, payment.id, state);
}

/** Settles a payment by what the provider says of it, and gives the money back at once where it must. */
export async function settleAs(
  db: Kysely<Tables>,
  provider: PaymentProvider,
  paymentId: string,
  state: ChargeState,
): Promise<PaymentStatus> {
  const status = await settlePayment(db, paymentId, state === 'succeeded');
  return status === 'refund_due' ? refundPayment(db, provider, paymentId) : status;
}

async function refundPayment(db: Kysely<Tables>, provider: PaymentProvider, paymentId: string): Promise<PaymentStatus> {
  const state = await provider.refund(paymentId, AbortSignal.timeout(GIVE_UP_AFTER_MS));
  if (state !== 'refunded') return 'refund_due';
  await recordRefund(db, paymentId);
  return 'refunded';
}
