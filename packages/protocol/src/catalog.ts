import { type Static, Type } from 'typebox';
import { PlaybackId, Uuid, WallMs } from './ids.ts';

/** ISO 4217 code; amounts beside it are integers in its minor unit. */
export const Currency = Type.String({ pattern: '^[A-Z]{3}$' });

export const ProductVariant = Type.Object(
  {
    id: Uuid,
    title: Type.String(),
    sku: Type.String(),
    priceMinor: Type.Integer({ minimum: 0 }),
    availableUnits: Type.Integer({ minimum: 0, description: 'Units that can be held now.' }),
  },
  { $id: 'ProductVariant' },
);
export type ProductVariant = Static<typeof ProductVariant>;

/** A product as shoppers see it: in lists, in the pinned card and in events. */
export const ProductCard = Type.Object(
  {
    id: Uuid,
    title: Type.String(),
    description: Type.String(),
    imageUrl: Type.Union([Type.String(), Type.Null()]),
    currency: Currency,
    variants: Type.Array(ProductVariant),
  },
  { $id: 'ProductCard' },
);
export type ProductCard = Static<typeof ProductCard>;

/** Legal moves are in `packages/commerce/src/shows/show-states.ts`. */
export const SHOW_STATUSES = ['scheduled', 'ready', 'live', 'interrupted', 'ended', 'cancelled'] as const;
export const ShowStatus = Type.Enum([...SHOW_STATUSES]);
export type ShowStatus = (typeof SHOW_STATUSES)[number];

export const ShowSummary = Type.Object(
  {
    id: Uuid,
    playbackId: PlaybackId,
    title: Type.String(),
    description: Type.String(),
    status: ShowStatus,
    sellerName: Type.String(),
    posterUrl: Type.Union([Type.String(), Type.Null()]),
    scheduledAtMs: Type.Union([WallMs, Type.Null()]),
    startedAtMs: Type.Union([WallMs, Type.Null()]),
    /** Only in `GET /api/seller/shows`, once an encoder with the right key was turned away; the latest time. */
    publisherRefused: Type.Optional(Type.Object({ atMs: WallMs, reason: Type.String(), text: Type.String() })),
  },
  { $id: 'ShowSummary' },
);
export type ShowSummary = Static<typeof ShowSummary>;

/**
 * The pinned product. `pinnedAtMs` is the wall-clock instant of the pin: a player shows the card once its own playhead
 * has reached that instant (the ingest clock in the picture), so that nothing is shown before its frame.
 */
export const FeaturedProduct = Type.Object({ product: ProductCard, pinnedAtMs: WallMs }, { $id: 'FeaturedProduct' });
export type FeaturedProduct = Static<typeof FeaturedProduct>;

export const ShowDetail = Type.Object(
  {
    show: ShowSummary,
    products: Type.Array(ProductCard),
    featured: Type.Union([FeaturedProduct, Type.Null()]),
  },
  { $id: 'ShowDetail' },
);
export type ShowDetail = Static<typeof ShowDetail>;

export const ShowList = Type.Object({ shows: Type.Array(ShowSummary) }, { $id: 'ShowList' });
export type ShowList = Static<typeof ShowList>;
