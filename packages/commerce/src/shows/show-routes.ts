import {
  NewShow,
  PinProduct,
  PlaybackId,
  ShowDetail,
  ShowList,
  ShowPatch,
  ShowSummary,
  StreamKey,
  Uuid,
} from '@showfloor/protocol';
import type { FastifyRequest } from 'fastify';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Tables } from '../database/tables.ts';
import type { App } from '../http/app.ts';
import { needs, userOf } from '../http/authentication.ts';
import { ProblemError } from '../http/problems.ts';
import type { PublicUrls } from '../http/public-urls.ts';
import { IdempotencyHeaders, PROBLEMS, ref, SIGNED_IN } from '../http/schemas.ts';
import { writeOnce } from '../http/write-once.ts';
import {
  activeShows,
  addShowProduct,
  createShow,
  moveShow,
  pinProduct,
  removeShowProduct,
  type ShowResult,
  showDetail,
  showsOfSeller,
  unpinProduct,
  upcomingShows,
  updateShow,
} from './shows.ts';
import { rotateStreamKey } from './stream-keys.ts';

export type ShowRouteDeps = {
  readonly db: Kysely<Tables>;
  readonly urlsFor: (request: FastifyRequest) => PublicUrls;
};

const ById = Type.Object({ id: Uuid });
const seller = { onRequest: needs('seller') };

export function registerShowRoutes(app: App, deps: ShowRouteDeps): void {
  registerPublicRoutes(app, deps.db);
  registerSellerRoutes(app, deps);
  registerShowProductRoutes(app, deps.db);
}

function registerPublicRoutes(app: App, db: Kysely<Tables>): void {
  const tags = ['shows'];
  app.get(
    '/api/streaming/active',
    { schema: { summary: 'Shows on air', response: { 200: ref(ShowList), ...PROBLEMS }, tags } },
    async () => ({ shows: await activeShows(db) }),
  );
  app.get(
    '/api/streaming/upcoming',
    { schema: { summary: 'Shows to come', response: { 200: ref(ShowList), ...PROBLEMS }, tags } },
    async () => ({ shows: await upcomingShows(db) }),
  );
  app.get(
    '/api/shows/:playbackId',
    {
      schema: {
        summary: 'One show with its products',
        params: Type.Object({ playbackId: PlaybackId }),
        response: { 200: ref(ShowDetail), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const detail = await showDetail(db, request.params.playbackId);
      if (detail === null) throw new ProblemError('not_found');
      return detail;
    },
  );
}

function registerSellerRoutes(app: App, { db, urlsFor }: ShowRouteDeps): void {
  const tags = ['studio'];
  const security = SIGNED_IN;
  const summaryAnswer = { 200: ref(ShowSummary), ...PROBLEMS };
  app.get(
    '/api/seller/shows',
    { ...seller, schema: { summary: 'My shows', security, response: { 200: ref(ShowList), ...PROBLEMS }, tags } },
    async (request) => ({ shows: await showsOfSeller(db, userOf(request).id) }),
  );
  app.post(
    '/api/shows',
    {
      ...seller,
      schema: {
        summary: 'Schedule a show',
        security,
        headers: IdempotencyHeaders,
        body: ref(NewShow),
        response: { 201: ref(ShowSummary), ...PROBLEMS },
        tags,
      },
    },
    async (request, reply) => {
      const { id: userId } = userOf(request);
      const once = { userId, key: request.headers['idempotency-key'], route: 'shows', body: request.body };
      return reply.code(201).send(await writeOnce(db, once, (tx) => createShow(tx, userId, request.body)));
    },
  );
  app.patch(
    '/api/shows/:id',
    {
      ...seller,
      schema: {
        summary: 'Change title, text or date',
        security,
        params: ById,
        body: ref(ShowPatch),
        response: summaryAnswer,
        tags,
      },
    },
    async (request) => accepted(await updateShow(db, ofSeller(request), request.body)),
  );
  for (const move of ['start', 'stop', 'cancel'] as const) {
    app.post(
      `/api/shows/:id/${move}`,
      { ...seller, schema: { summary: MOVES[move], security, params: ById, response: summaryAnswer, tags } },
      async (request) => accepted(await moveShow(db, ofSeller(request), move)),
    );
  }
  app.post(
    '/api/shows/:id/stream-key',
    {
      ...seller,
      schema: {
        summary: 'Make a new stream key; shown this once, the old one stops working',
        security,
        params: ById,
        response: { 200: ref(StreamKey), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const { showId, sellerId } = ofSeller(request);
      const show = await db
        .selectFrom('shows')
        .select(['id', 'playback_id'])
        .where('id', '=', showId)
        .where('seller_id', '=', sellerId)
        .executeTakeFirst();
      if (show === undefined) throw new ProblemError('not_found');
      const secret = await rotateStreamKey(db, show);
      return { server: urlsFor(request).rtmp, streamKey: `${show.playback_id}?key=${secret}` };
    },
  );
}

const MOVES = {
  start: 'Open the show: the next publish takes it live',
  stop: 'End the show',
  cancel: 'Call the show off',
} as const;

function registerShowProductRoutes(app: App, db: Kysely<Tables>): void {
  const tags = ['studio'];
  const security = SIGNED_IN;
  const response = { 200: ref(ShowDetail), ...PROBLEMS };
  app.post(
    '/api/shows/:id/products',
    {
      ...seller,
      schema: { summary: 'List a product in the show', security, params: ById, body: ref(PinProduct), response, tags },
    },
    async (request) => accepted(await addShowProduct(db, ofSeller(request), request.body.productId)),
  );
  app.delete(
    '/api/shows/:id/products/:productId',
    {
      ...seller,
      schema: {
        summary: 'Take a product off the list',
        security,
        params: Type.Object({ id: Uuid, productId: Uuid }),
        response,
        tags,
      },
    },
    async (request) => accepted(await removeShowProduct(db, ofSeller(request), request.params.productId)),
  );
  app.put(
    '/api/shows/:id/featured',
    {
      ...seller,
      schema: { summary: 'Pin a listed product', security, params: ById, body: ref(PinProduct), response, tags },
    },
    async (request) => accepted(await pinProduct(db, ofSeller(request), request.body.productId, Date.now())),
  );
  app.delete(
    '/api/shows/:id/featured',
    { ...seller, schema: { summary: 'Unpin', security, params: ById, response, tags } },
    async (request) => accepted(await unpinProduct(db, ofSeller(request))),
  );
}

function ofSeller(request: FastifyRequest & { params: { id: string } }): { showId: string; sellerId: string } {
  return { showId: request.params.id, sellerId: userOf(request).id };
}

function accepted<T>(result: ShowResult<T>): T {
  if (!result.ok) throw new ProblemError(result.reason);
  return result.value;
}
