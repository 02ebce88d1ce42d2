import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { ChargeRequest, ChargeState, PaymentProvider } from './payment-provider.ts';

const DECLINED_CARD = '4000000000000002';
/** Answers after three seconds: long enough to watch, shorter than our time-out. */
const SLOW_CARD = '4000000000003220';
const SLOW_MS = 3_000;
const PAYING_CARDS = new Set(['4242424242424242', SLOW_CARD]);

/** The card the web app suggests. */
export const TEST_CARD = '4242 4242 4242 4242';

/**
 * Stands in for a payment company: it keeps its own book, in its own schema, over its own connections and transactions,
 * so that a charge outlives whatever happens to us meanwhile. The provider owns `pool` and closes it.
 */
export function createTestProvider(pool: pg.Pool): PaymentProvider {
  const lookUp = async (paymentId: string): Promise<ChargeState> => {
    const { rows } = await pool.query<{ status: ChargeState }>(
      'select status from test_provider.charges where payment_id = $1',
      [paymentId],
    );
    return rows[0]?.status ?? 'unknown';
  };
  /** The first entry wins: a later one of the same payment reads it. */
  const enter = async (request: Omit<ChargeRequest, 'method'>, status: ChargeState): Promise<ChargeState> => {
    await pool.query(
      `insert into test_provider.charges (payment_id, status, amount_minor, currency) values ($1, $2, $3, $4)
       on conflict do nothing`,
      [request.paymentId, status, request.amountMinor, request.currency],
    );
    return lookUp(request.paymentId);
  };
  return {
    name: 'test',
    lookUp,
    charge: async (request, signal) => {
      const card = request.method.replaceAll(' ', '');
      if (card === SLOW_CARD) await sleep(SLOW_MS, undefined, { signal });
      const pays = PAYING_CARDS.has(card) && card !== DECLINED_CARD;
      return enter(request, pays ? 'succeeded' : 'declined');
    },
    cancel: (paymentId) => enter({ paymentId, amountMinor: 0, currency: 'XXX' }, 'cancelled'),
    refund: async (paymentId) => {
      await pool.query(
        `update test_provider.charges set status = 'refunded', refunded_at = now()
          where payment_id = $1 and status = 'succeeded'`,
        [paymentId],
      );
      return lookUp(paymentId);
    },
    close: () => pool.end(),
  };
}
