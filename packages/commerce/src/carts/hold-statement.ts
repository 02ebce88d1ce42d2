import { ANNOUNCE_MOVED_STOCK } from '../outbox/stock-events.ts';

/**
 * Holds units for many buyers in one statement. Parameters: arrays of n, buyer, variant, quantity, playback id and
 * idempotency key (null: none), then hold seconds, active holds per buyer and units per line. A buyer appears at most
 * once.
 *
 * Why it is safe at READ COMMITTED: carts, then stock, are locked in the order of their ids (every writer does so), and a
 * locked row is read as it is now. Lines are read from the statement's snapshot, which may be older than the lock; the
 * cart's version tells: seen ≠ locked means that the cart changed in between, and the verdict is `retry`. `retry` also
 * answers a request that would have fit had a larger one before it not been counted.
 * New stock levels are computed from the locked row, never from `s` itself: PostgreSQL checks constraints on the
 * snapshot's version of a row before it notices that a newer one exists, and would refuse what is right.
 * Adding to a line that is held does not touch its expiry.
 */
export const HOLD_STATEMENT = {
  name: 'hold-units-1',
  text: `
with request as (
  select * from unnest($1::int[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[])
    as r (n, buyer_id, variant_id, quantity, playback_id, key)
),
locked_cart as materialized (
  select c.user_id, c.version from carts c
   where c.user_id in (select buyer_id from request)
   order by c.user_id for no key update
),
locked_stock as materialized (
  select s.* from stock s
   where s.variant_id in (select variant_id from request) and (select count(*) from locked_cart) >= 0
   order by s.variant_id for no key update
),
judged as materialized (
  select r.*, line.id as line_id, locked_stock.available,
    case
      when locked_cart.user_id is null then 'no_cart'
      when locked_cart.version <> seen.version then 'retry'
      when used.key is not null and (used.variant_id, used.quantity) = (r.variant_id, r.quantity) then 'replayed'
      when used.key is not null then 'body_mismatch'
      when locked_stock.variant_id is null then 'not_found'
      when line.order_id is not null then 'payment_pending'
      when line.hold_expires_at <= now() then 'expired'
      when coalesce(line.quantity, 0) + r.quantity > $9::int then 'hold_limit'
      when line.id is null and (
        select count(*) from cart_lines l where l.user_id = r.buyer_id and l.hold_expires_at > now()
      ) >= $8::int then 'hold_limit'
      when r.quantity > locked_stock.available then 'insufficient_stock'
      else 'fits'
    end as verdict
  from request r
  left join locked_cart on locked_cart.user_id = r.buyer_id
  left join carts seen on seen.user_id = r.buyer_id
  left join locked_stock on locked_stock.variant_id = r.variant_id
  left join cart_lines line on line.user_id = r.buyer_id and line.variant_id = r.variant_id
  left join hold_keys used on used.user_id = r.buyer_id and used.key = r.key
),
granted as materialized (
  select * from (
    select j.*, sum(j.quantity) over (partition by j.variant_id order by j.n) as up_to
      from judged j where j.verdict = 'fits'
  ) ranked
  where up_to <= available
),
moved as (
  update stock s
     set on_hand = l.on_hand, available = l.available - g.units, held = l.held + g.units, sold = l.sold,
         version = l.version + 1
    from locked_stock l
    join (select variant_id, sum(quantity)::int as units from granted group by variant_id) g using (variant_id)
   where s.variant_id = l.variant_id
  returning s.variant_id, s.available, s.version
),
written as (
  insert into cart_lines (user_id, variant_id, quantity, playback_id, hold_expires_at)
  select g.buyer_id, g.variant_id, g.quantity, (select playback_id from shows where playback_id = g.playback_id),
         now() + make_interval(secs => $7::float8)
    from granted g
  on conflict (user_id, variant_id) do update set quantity = cart_lines.quantity + excluded.quantity
  returning user_id, id
),
bumped as (
  update carts set version = version + 1 where user_id in (select buyer_id from granted)
),
remembered as (
  insert into hold_keys (user_id, key, variant_id, quantity)
  select buyer_id, key, variant_id, quantity from granted where key is not null
),
booked as (
  insert into stock_ledger (variant_id, kind, available_delta, held_delta, user_id)
  select variant_id, 'hold', -quantity, quantity, buyer_id from granted order by n
),
announced as (${ANNOUNCE_MOVED_STOCK})
select j.n, coalesce(written.id, j.line_id) as line_id,
       case when g.n is not null then 'held' when j.verdict = 'fits' then 'retry' else j.verdict end as verdict,
       coalesce(moved.available, j.available, 0) as available
  from judged j
  left join granted g on g.n = j.n
  left join written on written.user_id = g.buyer_id
  left join moved on moved.variant_id = j.variant_id
`,
} as const;

export type HoldVerdict =
  | 'held'
  | 'replayed'
  | 'retry'
  | 'expired'
  | 'no_cart'
  | 'not_found'
  | 'payment_pending'
  | 'hold_limit'
  | 'body_mismatch'
  | 'insufficient_stock';

export type HoldRow = {
  readonly n: number;
  readonly line_id: string | null;
  readonly verdict: HoldVerdict;
  readonly available: number;
};
