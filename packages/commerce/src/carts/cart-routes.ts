import { AddCartLine, Cart, Uuid } from '@showfloor/protocol';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Tables } from '../database/tables.ts';
import type { App } from '../http/app.ts';
import { needs, userOf } from '../http/authentication.ts';
import { ProblemError } from '../http/problems.ts';
import { IdempotencyHeaders, PROBLEMS, ref, SIGNED_IN } from '../http/schemas.ts';
import { isBeingPaid, readCart } from './carts.ts';
import type { HoldDesk } from './hold-desk.ts';
import { releaseLine } from './release-holds.ts';

const tags = ['cart'];
const security = SIGNED_IN;
const buyer = { onRequest: needs() };

export function registerCartRoutes(app: App, deps: { readonly db: Kysely<Tables>; readonly holds: HoldDesk }): void {
  const { db, holds } = deps;
  app.get(
    '/api/cart',
    { ...buyer, schema: { summary: 'My cart', security, response: { 200: ref(Cart), ...PROBLEMS }, tags } },
    async (request) => readCart(db, userOf(request).id),
  );

  app.post(
    '/api/cart/lines',
    {
      ...buyer,
      schema: {
        summary: 'Hold units for ten minutes',
        security,
        headers: IdempotencyHeaders,
        body: ref(AddCartLine),
        response: { 201: ref(Cart), ...PROBLEMS },
        tags,
      },
    },
    async (request, reply) => {
      const { variantId, quantity, playbackId } = request.body;
      const { id: buyerId } = userOf(request);
      const key = request.headers['idempotency-key'] ?? null;
      const [result] = await holds.hold([{ buyerId, variantId, quantity, playbackId: playbackId ?? null, key }]);
      if (result === undefined) throw new ProblemError('internal');
      if (!result.ok) {
        const extras = result.reason === 'insufficient_stock' ? { availableUnits: result.availableUnits } : {};
        throw new ProblemError(result.reason, extras);
      }
      return reply.code(201).send(await readCart(db, buyerId));
    },
  );

  app.delete(
    '/api/cart/lines/:lineId',
    {
      ...buyer,
      schema: {
        summary: 'Give held units back',
        security,
        params: Type.Object({ lineId: Uuid }),
        response: { 200: ref(Cart), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const { id: userId } = userOf(request);
      const released = await releaseLine(db, userId, request.params.lineId);
      if (released === null && (await isBeingPaid(db, userId, request.params.lineId))) {
        throw new ProblemError('payment_pending');
      }
      return readCart(db, userId); // a line that is gone already: as asked
    },
  );
}
