import type { OrderStatus, RestreamState, Role, ShowStatus } from '@showfloor/protocol';
import type { ColumnType, Generated } from 'kysely';

/** Rows as PostgreSQL holds them. `Generated` columns have a default; `bigint` columns are read as numbers. */
type Json<T> = ColumnType<T, string, string>;

export type Tables = {
  users: {
    id: Generated<string>;
    email: string | null;
    display_name: string;
    role: Role;
    password_hash: string | null;
    created_at: Generated<Date>;
  };
  refresh_families: {
    id: Generated<string>;
    user_id: string;
    created_at: Generated<Date>;
    expires_at: Date;
    revoked_at: Date | null;
    revoked_reason: string | null;
  };
  refresh_tokens: { token_hash: Buffer; family_id: string; expires_at: Date; used_at: Date | null };
  one_time_links: {
    token_hash: Buffer;
    user_id: string;
    purpose: string;
    expires_at: Date;
    used_at: Date | null;
  };
  shows: {
    id: Generated<string>;
    seller_id: string;
    playback_id: string;
    title: string;
    description: Generated<string>;
    status: Generated<ShowStatus>;
    poster_url: string | null;
    scheduled_at: Date | null;
    started_at: Date | null;
    ended_at: Date | null;
    interrupted_at: Date | null;
    grace_ends_at: Date | null;
    stream_key_hash: Buffer | null;
    session_id: string | null;
    last_stream_event_at: Date | null;
    featured_product_id: string | null;
    pinned_at: Date | null;
    /** Grows with each change of the restream targets. */
    restream_revision: Generated<number>;
    publisher_refused_at: Date | null;
    publisher_refused_reason: string | null;
    publisher_refused_text: string | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  products: {
    id: Generated<string>;
    seller_id: string;
    title: string;
    description: Generated<string>;
    image_url: string | null;
    currency: string;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  product_variants: {
    id: Generated<string>;
    product_id: string;
    title: string;
    sku: string;
    price_minor: number;
    position: number;
  };
  show_products: { show_id: string; product_id: string; added_at: Generated<Date> };
  publisher_cuts: {
    id: Generated<number>;
    playback_id: string;
    kind: 'end_stream' | 'drop_publisher';
    created_at: Generated<Date>;
  };
  restream_targets: {
    id: Generated<string>;
    show_id: string;
    name: string;
    url: string;
    /** By the `Sealer`, with the row's id as its context. */
    sealed_key: Buffer;
    key_hint: string;
    is_enabled: Generated<boolean>;
    state: RestreamState | null;
    state_reason: string | null;
    state_message: string | null;
    state_at: Date | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  restream_wishes: { playback_id: string; requested_at: Generated<Date> };
  event_inbox: { id: string; received_at: Generated<Date> };
  stock: {
    variant_id: string;
    on_hand: number;
    available: number;
    held: Generated<number>;
    sold: Generated<number>;
    version: Generated<number>;
  };
  stock_ledger: {
    id: Generated<number>;
    variant_id: string;
    kind: StockMove;
    on_hand_delta: Generated<number>;
    available_delta: Generated<number>;
    held_delta: Generated<number>;
    sold_delta: Generated<number>;
    user_id: string | null;
    order_id: string | null;
    note: string | null;
    created_at: Generated<Date>;
  };
  carts: { user_id: string; version: Generated<number>; last_expired_at: Date | null };
  cart_lines: {
    id: Generated<string>;
    user_id: string;
    variant_id: string;
    quantity: number;
    playback_id: string | null;
    hold_expires_at: Date;
    hold_extended_at: Date | null;
    order_id: string | null;
    created_at: Generated<Date>;
  };
  hold_keys: { user_id: string; key: string; variant_id: string; quantity: number; created_at: Generated<Date> };
  orders: {
    id: Generated<string>;
    number: Generated<number>;
    user_id: string;
    status: Generated<OrderStatus>;
    total_minor: number;
    currency: string;
    email: string | null;
    created_at: Generated<Date>;
    paid_at: Date | null;
  };
  order_lines: {
    order_id: string;
    position: number;
    product_id: string;
    variant_id: string;
    title: string;
    variant_title: string;
    quantity: number;
    unit_price_minor: number;
  };
  payments: {
    id: Generated<string>;
    order_id: string;
    provider: string;
    status: Generated<PaymentStatus>;
    amount_minor: number;
    currency: string;
    attempted_at: Generated<Date>;
    refund_due_at: Date | null;
    next_check_at: Generated<Date>;
    created_at: Generated<Date>;
  };
  idempotency_keys: {
    user_id: string;
    key: string;
    request_hash: Buffer;
    owner: string;
    leased_until: Date;
    order_id: string | null;
    response_status: number | null;
    response_body: Json<unknown> | null;
    created_at: Generated<Date>;
  };
  outbox: {
    id: Generated<number>;
    event_id: Generated<string>;
    /** Events of one topic are delivered in the order of `id`: the playback id, or `user:` + id. */
    topic: string;
    /** Of several waiting events with the same key only the newest matters (stock). */
    coalesce_key: string | null;
    payload: Json<Record<string, unknown>>;
    attempts: Generated<number>;
    last_error: string | null;
    dead_at: Date | null;
    created_at: Generated<Date>;
  };
};

/**
 * `processing`: the provider may or may not have charged. `refund_due`: charged, and the goods are gone.
 */
export type PaymentStatus = 'processing' | 'succeeded' | 'failed' | 'refund_due' | 'refunded';
export type StockMove = 'receive' | 'adjust' | 'hold' | 'release' | 'expire' | 'sell';
