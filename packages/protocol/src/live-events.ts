import { type Static, Type } from 'typebox';
import { ProductCard } from './catalog.ts';
import { PlaybackId, Uuid, WallMs } from './ids.ts';

/**
 * Events between processes, delivered as signed webhooks (Standard Webhooks 1.0: headers `webhook-id`,
 * `webhook-timestamp`, `webhook-signature`) to `POST /internal/events`:
 * media → commerce and realtime (`stream.*`), commerce's outbox → realtime (`product.*`, `stock.*`, `show.*`).
 * The receiver keeps an inbox of ids: delivery is at least once. Version 1 grows additively.
 */
const envelope = {
  id: Type.String({ minLength: 8, maxLength: 64, description: 'Unique; equals the webhook-id header.' }),
  version: Type.Literal(1),
  playbackId: PlaybackId,
  /** The instant the thing happened, wall clock of the sender. */
  atMs: WallMs,
};

export const StreamEvent = Type.Object({
  ...envelope,
  type: Type.Enum(['stream.started', 'stream.interrupted', 'stream.resumed', 'stream.ended']),
  data: Type.Object({
    showId: Uuid,
    /** Changes with each session of a stream; the same through interruptions. */
    sessionId: Type.String(),
    reason: Type.Optional(Type.String()),
    /** `interrupted` only: when the grace window runs out. */
    graceEndsAtMs: Type.Optional(WallMs),
  }),
});
export type StreamEvent = Static<typeof StreamEvent>;

/**
 * Media → commerce only, for the seller's eyes: an encoder had the right key and was turned away all the same. `reason` is `rival` (another
 * encoder is on air with this key) or a code like `ingest.unsupported_av1`; `text` is what the encoder was told. At least once, and
 * not more often than every ten seconds per show.
 */
export const PublisherRefused = Type.Object({
  ...envelope,
  type: Type.Literal('stream.publisher_refused'),
  data: Type.Object({
    showId: Uuid,
    reason: Type.String({ maxLength: 40 }),
    text: Type.String({ maxLength: 200 }),
  }),
});
export type PublisherRefused = Static<typeof PublisherRefused>;

export const ProductPinned = Type.Object({
  ...envelope,
  type: Type.Literal('product.pinned'),
  data: Type.Object({ product: ProductCard, pinnedAtMs: WallMs }),
});
export const ProductUnpinned = Type.Object({
  ...envelope,
  type: Type.Literal('product.unpinned'),
  data: Type.Object({ productId: Uuid }),
});
/** A product joined the show's list, or its texts, price or variants changed. */
export const ProductUpserted = Type.Object({
  ...envelope,
  type: Type.Enum(['product.added', 'product.updated']),
  data: Type.Object({ product: ProductCard }),
});
export const ProductDeleted = Type.Object({
  ...envelope,
  type: Type.Literal('product.deleted'),
  data: Type.Object({ productId: Uuid }),
});
/** `stockVersion` grows with every change of the variant's stock: a receiver drops an older one. */
export const StockChanged = Type.Object({
  ...envelope,
  type: Type.Literal('stock.changed'),
  data: Type.Object({
    productId: Uuid,
    variantId: Uuid,
    availableUnits: Type.Integer({ minimum: 0 }),
    stockVersion: Type.Integer({ minimum: 0 }),
  }),
});
/** Seller stopped or cancelled the show, or started it. */
export const ShowChanged = Type.Object({
  ...envelope,
  type: Type.Literal('show.changed'),
  data: Type.Object({ status: Type.String() }),
});

export const LiveEvent = Type.Union([
  StreamEvent,
  ProductPinned,
  ProductUnpinned,
  ProductUpserted,
  ProductDeleted,
  StockChanged,
  ShowChanged,
]);
export type LiveEvent = Static<typeof LiveEvent>;
export type LiveEventType = LiveEvent['type'];

export const LIVE_EVENTS_PATH = '/internal/events';
/** Standard Webhooks 1.0 asks for payloads under 20 KB. */
export const LIVE_EVENT_BYTES_MAX = 20_480;
