import { Checkout, Order, Uuid } from '@showfloor/protocol';
import { Type } from 'typebox';
import { findUser } from '../accounts/users.ts';
import type { App } from '../http/app.ts';
import { needs, userOf } from '../http/authentication.ts';
import { ProblemError } from '../http/problems.ts';
import { IdempotencyHeaders, PROBLEMS, ref, SIGNED_IN } from '../http/schemas.ts';
import { type CheckoutDeps, checkOut } from './checkout.ts';
import { orderOf, ordersOf } from './orders.ts';

const tags = ['orders'];
const security = SIGNED_IN;
const buyer = { onRequest: needs() };
const MIXED_CURRENCIES = { detail: 'The cart mixes currencies: take one of them out and buy it afterwards.' };
const PENDING_RETRY_AFTER_SECONDS = '2';
const OrderList = Type.Object({ orders: Type.Array(ref(Order)) });

export function registerOrderRoutes(app: App, deps: CheckoutDeps): void {
  const { db } = deps;
  app.post(
    '/api/checkout',
    {
      ...buyer,
      schema: {
        summary: 'Buy the whole cart; Idempotency-Key is required',
        security,
        headers: IdempotencyHeaders,
        body: ref(Checkout),
        // 202: whether the payment went through is not known yet; the same request, repeated, tells once it is.
        response: { 201: ref(Order), 202: ref(Order), ...PROBLEMS },
        tags,
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key'];
      if (key === undefined) throw new ProblemError('idempotency_key_required');
      const { id: userId } = userOf(request);
      const email = request.body.email ?? (await findUser(db, userId))?.email ?? null;
      const result = await checkOut(deps, { userId, email, key, body: request.body });
      if (!result.ok) {
        const detail = result.detail === undefined ? {} : { detail: result.detail };
        throw new ProblemError(result.reason, result.reason === 'conflict' ? MIXED_CURRENCIES : detail);
      }
      if (result.order.status === 'paid') return reply.code(201).send(result.order);
      return reply.code(202).header('retry-after', PENDING_RETRY_AFTER_SECONDS).send(result.order);
    },
  );

  app.get(
    '/api/orders',
    { ...buyer, schema: { summary: 'My orders', security, response: { 200: OrderList, ...PROBLEMS }, tags } },
    async (request) => ({ orders: await ordersOf(db, userOf(request).id) }),
  );

  app.get(
    '/api/orders/:id',
    {
      ...buyer,
      schema: {
        summary: 'One of my orders',
        security,
        params: Type.Object({ id: Uuid }),
        response: { 200: ref(Order), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const order = await orderOf(db, userOf(request).id, request.params.id);
      if (order === null) throw new ProblemError('not_found');
      return order;
    },
  );
}
