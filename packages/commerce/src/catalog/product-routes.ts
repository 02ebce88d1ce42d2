import { NewProduct, ProductCard, ProductPatch, StockAdjustment, Uuid } from '@showfloor/protocol';
import { assert } from '@showfloor/service-kit';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { sqlState } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import type { App } from '../http/app.ts';
import { needs, userOf } from '../http/authentication.ts';
import { ProblemError } from '../http/problems.ts';
import { IdempotencyHeaders, PROBLEMS, ref, SIGNED_IN } from '../http/schemas.ts';
import { writeOnce } from '../http/write-once.ts';
import { adjustStock } from '../stock/adjust-stock.ts';
import { productCard, productsOfSeller } from './product-cards.ts';
import { createProduct, UnknownVariant, updateProduct } from './products.ts';

const UNIQUE_VIOLATION = '23505';
const ById = Type.Object({ id: Uuid });
const ProductList = Type.Object({ products: Type.Array(ref(ProductCard)) });
const tags = ['studio'];
const security = SIGNED_IN;
const seller = { onRequest: needs('seller') };

export function registerProductRoutes(app: App, db: Kysely<Tables>): void {
  app.get(
    '/api/seller/products',
    { ...seller, schema: { summary: 'My products', security, response: { 200: ProductList, ...PROBLEMS }, tags } },
    async (request) => ({ products: await productsOfSeller(db, userOf(request).id) }),
  );

  app.post(
    '/api/products',
    {
      ...seller,
      schema: {
        summary: 'Create a product',
        security,
        headers: IdempotencyHeaders,
        body: ref(NewProduct),
        response: { 201: ref(ProductCard), ...PROBLEMS },
        tags,
      },
    },
    async (request, reply) => {
      const { id: userId } = userOf(request);
      const once = { userId, key: request.headers['idempotency-key'], route: 'products', body: request.body };
      const product = await writeOnce(db, once, (tx) => createProduct(tx, userId, request.body)).catch(
        (error: unknown) => {
          if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
          throw new ProblemError('conflict', { detail: 'Give each variant a SKU of its own.' });
        },
      );
      return reply.code(201).send(product);
    },
  );

  app.patch(
    '/api/products/:id',
    {
      ...seller,
      schema: {
        summary: 'Change texts, image or prices',
        security,
        params: ById,
        body: ref(ProductPatch),
        response: { 200: ref(ProductCard), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const product = await updateProduct(db, userOf(request).id, request.params.id, request.body).catch(
        (error: unknown) => {
          if (error instanceof UnknownVariant) return null;
          throw error;
        },
      );
      if (product === null) throw new ProblemError('not_found');
      return product;
    },
  );

  app.post(
    '/api/products/:id/stock',
    {
      ...seller,
      schema: {
        summary: 'Units arrive or leave',
        security,
        params: ById,
        headers: IdempotencyHeaders,
        body: ref(StockAdjustment),
        response: { 200: ref(ProductCard), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const { id: userId } = userOf(request);
      const { id } = request.params;
      const once = { userId, key: request.headers['idempotency-key'], route: `stock/${id}`, body: request.body };
      return writeOnce(db, once, async (tx) => {
        const own = await tx
          .selectFrom('products')
          .select('id')
          .where('id', '=', id)
          .where('seller_id', '=', userId)
          .executeTakeFirst();
        if (own === undefined) throw new ProblemError('not_found');
        const result = await adjustStock(tx, id, request.body);
        if (!result.ok) throw new ProblemError(result.reason, { availableUnits: result.availableUnits });
        const product = await productCard(tx, id);
        assert(product !== null, 'a product whose stock was just changed is not there');
        return product;
      });
    },
  );
}
