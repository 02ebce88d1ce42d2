import { type Static, Type } from 'typebox';
import { Currency } from './catalog.ts';
import { Uuid, WallMs } from './ids.ts';

/** Seller's requests to the commerce API. */
export const NewShow = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 120 }),
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    scheduledAtMs: Type.Optional(WallMs),
  },
  { $id: 'NewShow', additionalProperties: false },
);
export type NewShow = Static<typeof NewShow>;

/** The only answer that ever holds a stream key: `POST /api/shows/{id}/stream-key`. Asking again makes a new key. */
export const StreamKey = Type.Object(
  {
    server: Type.String({ description: 'rtmp://host:1935/live: the "Server" field in OBS.' }),
    streamKey: Type.String({ description: '{playbackId}?key={secret}: the "Stream Key" field in OBS.' }),
  },
  { $id: 'StreamKey' },
);
export type StreamKey = Static<typeof StreamKey>;

export const NewProduct = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 120 }),
    description: Type.Optional(Type.String({ maxLength: 4000 })),
    imageUrl: Type.Optional(Type.String({ maxLength: 500, pattern: '^(/|https://)' })),
    currency: Currency,
    variants: Type.Array(
      Type.Object(
        {
          title: Type.String({ minLength: 1, maxLength: 60 }),
          sku: Type.String({ minLength: 1, maxLength: 60 }),
          priceMinor: Type.Integer({ minimum: 0, maximum: 100_000_000 }),
          onHandUnits: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 50 },
    ),
  },
  { $id: 'NewProduct', additionalProperties: false },
);
export type NewProduct = Static<typeof NewProduct>;

export const StockAdjustment = Type.Object(
  {
    variantId: Uuid,
    deltaUnits: Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 }),
    note: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { $id: 'StockAdjustment', additionalProperties: false },
);
export type StockAdjustment = Static<typeof StockAdjustment>;

export const PinProduct = Type.Object({ productId: Uuid }, { $id: 'PinProduct', additionalProperties: false });
export type PinProduct = Static<typeof PinProduct>;

/** `PATCH /api/shows/{id}`: only what is named changes; `scheduledAtMs` null takes the date away. */
export const ShowPatch = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 120 })),
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    scheduledAtMs: Type.Optional(Type.Union([WallMs, Type.Null()])),
  },
  { $id: 'ShowPatch', additionalProperties: false, minProperties: 1 },
);
export type ShowPatch = Static<typeof ShowPatch>;

/** `PATCH /api/products/{id}`: only what is named changes. Stock has its own request. */
export const ProductPatch = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 120 })),
    description: Type.Optional(Type.String({ maxLength: 4000 })),
    imageUrl: Type.Optional(Type.Union([Type.String({ maxLength: 500, pattern: '^(/|https://)' }), Type.Null()])),
    variants: Type.Optional(
      Type.Array(
        Type.Object(
          { id: Uuid, priceMinor: Type.Integer({ minimum: 0, maximum: 100_000_000 }) },
          { additionalProperties: false },
        ),
        { minItems: 1, maxItems: 50 },
      ),
    ),
  },
  { $id: 'ProductPatch', additionalProperties: false, minProperties: 1 },
);
export type ProductPatch = Static<typeof ProductPatch>;
