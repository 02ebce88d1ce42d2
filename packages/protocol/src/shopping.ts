import { type Static, Type } from 'typebox';
import { Currency } from './catalog.ts';
import { PlaybackId, Uuid, WallMs } from './ids.ts';

export const CartLine = Type.Object(
  {
    id: Uuid,
    productId: Uuid,
    variantId: Uuid,
    title: Type.String(),
    variantTitle: Type.String(),
    imageUrl: Type.Union([Type.String(), Type.Null()]),
    playbackId: Type.Union([PlaybackId, Type.Null()]),
    quantity: Type.Integer({ minimum: 1 }),
    unitPriceMinor: Type.Integer({ minimum: 0 }),
    currency: Currency,
    holdExpiresAtMs: WallMs,
  },
  { $id: 'CartLine' },
);
export type CartLine = Static<typeof CartLine>;

/** `serverNowMs` lets a browser with a wrong clock show the right countdown. */
export const Cart = Type.Object(
  {
    lines: Type.Array(CartLine),
    totalMinor: Type.Integer({ minimum: 0 }),
    currency: Type.Union([Currency, Type.Null()]),
    serverNowMs: WallMs,
  },
  { $id: 'Cart' },
);
export type Cart = Static<typeof Cart>;

export const AddCartLine = Type.Object(
  {
    variantId: Uuid,
    quantity: Type.Integer({ minimum: 1, maximum: 10 }),
    playbackId: Type.Optional(PlaybackId),
  },
  { $id: 'AddCartLine', additionalProperties: false },
);
export type AddCartLine = Static<typeof AddCartLine>;

export const ORDER_STATUSES = ['pending_payment', 'paid', 'payment_failed', 'refunded'] as const;
export const OrderStatus = Type.Enum([...ORDER_STATUSES]);
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const OrderLine = Type.Object(
  {
    productId: Uuid,
    variantId: Uuid,
    title: Type.String(),
    variantTitle: Type.String(),
    quantity: Type.Integer({ minimum: 1 }),
    unitPriceMinor: Type.Integer({ minimum: 0 }),
  },
  { $id: 'OrderLine' },
);

export const Order = Type.Object(
  {
    id: Uuid,
    number: Type.String({ description: 'Short number people read to each other, e.g. SF-000123.' }),
    status: OrderStatus,
    lines: Type.Array(OrderLine),
    totalMinor: Type.Integer({ minimum: 0 }),
    currency: Currency,
    email: Type.Union([Type.String(), Type.Null()]),
    createdAtMs: WallMs,
    paidAtMs: Type.Union([WallMs, Type.Null()]),
  },
  { $id: 'Order' },
);
export type Order = Static<typeof Order>;

/**
 * Checkout of the whole cart. `card` is understood by the `test` provider only: 4242 4242 4242 4242 pays,
 * 4000 0000 0000 0002 is declined. Card data of real buyers never reaches this API: other providers take a token.
 */
export const Checkout = Type.Object(
  {
    email: Type.Optional(Type.String({ format: 'email', maxLength: 254 })),
    payment: Type.Object(
      { provider: Type.Literal('test'), card: Type.String({ pattern: '^[0-9 ]{12,23}$' }) },
      { additionalProperties: false },
    ),
    expectedTotalMinor: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'The total the buyer agreed to. A cart that comes to another one is refused with `cart_changed`.',
      }),
    ),
    currency: Type.Optional(Currency),
  },
  { $id: 'Checkout', additionalProperties: false },
);
export type Checkout = Static<typeof Checkout>;
