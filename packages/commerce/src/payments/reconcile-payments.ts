import type { Counter, Logger } from '@showfloor/service-kit';
import { type Kysely, sql } from 'kysely';
import type { PaymentStatus, Tables } from '../database/tables.ts';
import type { ChargeState, PaymentProvider } from './payment-provider.ts';
import { recordRefund, settlePayment } from './settle-payment.ts';

export type ReconcileOptions = {
  readonly db: Kysely<Tables>;
  readonly provider: PaymentProvider;
  readonly log: Logger;
  /** Attempts to give money back that did not work: somebody should look at the provider. */
  readonly refundsStillDue?: Counter;
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
/** A payment that does not finish is asked about again after a quarter of the time it is open, within these bounds. */
const RECHECK_SECONDS_MIN = 1;
const RECHECK_SECONDS_MAX = 60;

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
    .where('next_check_at', '<=', sql<Date>`now()`)
    .where((where) =>
      where.or([
        where('status', '=', 'refund_due'),
        where('attempted_at', '<', new Date(Date.now() - (options.lookUpAfterMs ?? LOOK_UP_AFTER_MS))),
      ]),
    )
    .orderBy('next_check_at')
    .limit(PAYMENTS_PER_PASS_MAX)
    .execute();
  let finished = 0;
  for (const payment of open) {
    let status = payment.status;
    try {
      status = await finish(options, payment);
    } catch (error) {
      log.warn({ err: error, paymentId: payment.id }, 'payment.reconcile_failed');
    }
    if (status === 'processing' || status === 'refund_due') {
      await postpone(options, payment.id);
    } else {
      finished += 1;
      log.info({ paymentId: payment.id, status }, 'payment.reconciled');
    }
  }
  return finished;
}

async function postpone({ db, log, refundsStillDue }: ReconcileOptions, paymentId: string): Promise<void> {
  const age = sql`extract(epoch from now() - coalesce(refund_due_at, attempted_at))`;
  const { status, refund_due_at: dueAt } = await db
    .updateTable('payments')
    .set({
      next_check_at: sql<Date>`now() + make_interval(secs =>
        least(${RECHECK_SECONDS_MAX}::float8, greatest(${RECHECK_SECONDS_MIN}::float8, ${age} / 4)))`,
    })
    .where('id', '=', paymentId)
    .returning(['status', 'refund_due_at'])
    .executeTakeFirstOrThrow();
  if (status !== 'refund_due' || dueAt === null) return;
  refundsStillDue?.inc();
  log.warn({ paymentId, dueForMs: Date.now() - dueAt.getTime() }, 'payment.refund_still_due');
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
