import type { Reason, StockAdjustment } from '@showfloor/protocol';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { ANNOUNCE_MOVED_STOCK } from '../outbox/stock-events.ts';

export type AdjustResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: Reason; readonly availableUnits: number };

/**
 * Units arrive (positive) or leave (negative: broken, lost). Only available units can leave: what is held or sold belongs
 * to a buyer. Call it in a transaction.
 */
export async function adjustStock(
  tx: Kysely<Tables>,
  productId: string,
  input: StockAdjustment,
): Promise<AdjustResult> {
  const { variantId, deltaUnits } = input;
  const locked = await sql<{ available: number }>`
    select s.available from stock s join product_variants v on v.id = s.variant_id
     where s.variant_id = ${variantId}::uuid and v.product_id = ${productId}::uuid
       for no key update of s`.execute(tx);
  const available = locked.rows[0]?.available;
  if (available === undefined) return { ok: false, reason: 'not_found', availableUnits: 0 };
  if (available + deltaUnits < 0) return { ok: false, reason: 'insufficient_stock', availableUnits: available };
  await sql`
    with moved as (
      update stock set on_hand = on_hand + ${deltaUnits}::int, available = available + ${deltaUnits}::int,
             version = version + 1
       where variant_id = ${variantId}::uuid
      returning variant_id, available, version
    ),
    booked as (
      insert into stock_ledger (variant_id, kind, on_hand_delta, available_delta, note)
      values (${variantId}::uuid, ${deltaUnits >= 0 ? 'receive' : 'adjust'}, ${deltaUnits}::int, ${deltaUnits}::int,
              ${input.note ?? null})
    )
    ${sql.raw(ANNOUNCE_MOVED_STOCK)}`.execute(tx);
  return { ok: true };
}
