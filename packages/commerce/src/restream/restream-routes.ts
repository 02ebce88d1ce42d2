import {
  NewRestreamTarget,
  RestreamTargetList,
  RestreamTargetPatch,
  RestreamTargetView,
  Uuid,
} from '@showfloor/protocol';
import type { OutboundGuard, Sealer } from '@showfloor/service-kit';
import type { FastifyRequest } from 'fastify';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Tables } from '../database/tables.ts';
import type { App } from '../http/app.ts';
import { needs, userOf } from '../http/authentication.ts';
import { ProblemError } from '../http/problems.ts';
import { IdempotencyHeaders, PROBLEMS, ref, SIGNED_IN } from '../http/schemas.ts';
import { writeOnce } from '../http/write-once.ts';
import type { ShowResult } from '../shows/shows.ts';
import { problemOfKey, problemOfUrl, pushUrl } from './push-url.ts';
import { addRestreamTarget, deleteRestreamTarget, restreamTargets, updateRestreamTarget } from './restream-targets.ts';

export type RestreamRouteDeps = {
  readonly db: Kysely<Tables>;
  readonly sealer: Sealer;
  /** Asked before anything is written; the media plane asks its own again at each connection. */
  readonly guard: OutboundGuard;
};

const tags = ['studio'];
const security = SIGNED_IN;
const seller = { onRequest: needs('seller') };
/** Writes look names up: nobody is to ask DNS through us by the thousand. Per seller and route. */
const LOOKUPS_PER_MINUTE = 120;
const limited = { ...seller, config: { rateLimit: { max: LOOKUPS_PER_MINUTE, timeWindow: 60_000 } } };
const OfShow = Type.Object({ id: Uuid });
const OfTarget = Type.Object({ id: Uuid, targetId: Uuid });
const BASE = '/api/shows/:id/restream-targets';

/** Restream targets of a show, for its seller. A key goes in and never comes out. */
export function registerRestreamRoutes(app: App, deps: RestreamRouteDeps): void {
  registerReading(app, deps);
  registerWriting(app, deps);
}

function registerReading(app: App, deps: RestreamRouteDeps): void {
  app.get(
    BASE,
    {
      ...seller,
      schema: {
        summary: 'Where else this show is sent, and how it goes there',
        security,
        params: OfShow,
        response: { 200: ref(RestreamTargetList), ...PROBLEMS },
        tags,
      },
    },
    async (request) => ({ targets: await targetsOf(deps, request) }),
  );
  app.get(
    `${BASE}/:targetId`,
    {
      ...seller,
      schema: {
        summary: 'One restream target',
        security,
        params: OfTarget,
        response: { 200: ref(RestreamTargetView), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const targets = await targetsOf(deps, request);
      const target = targets.find(({ id }) => id === request.params.targetId);
      if (target === undefined) throw new ProblemError('not_found');
      return target;
    },
  );
}

function registerWriting(app: App, { db, sealer, guard }: RestreamRouteDeps): void {
  app.post(
    BASE,
    {
      ...limited,
      schema: {
        summary: 'Send this show to another platform as well',
        security,
        params: OfShow,
        headers: IdempotencyHeaders,
        body: ref(NewRestreamTarget),
        response: { 201: ref(RestreamTargetView), ...PROBLEMS },
        tags,
      },
    },
    async (request, reply) => {
      const { body, params } = request;
      await check(guard, body.url, body.key);
      const { id: userId } = userOf(request);
      const key = request.headers['idempotency-key'];
      // What is kept of a body is its hash, which would let guesses at the stream key be tried.
      const told = { ...body, key: sealer.fingerprint(body.key) };
      const once = { userId, key, route: `restream:${params.id}`, body: told };
      const target = await writeOnce(db, once, async (tx) =>
        accepted(await addRestreamTarget(tx, sealer, ofSeller(request), body)),
      );
      return reply.code(201).send(target);
    },
  );
  app.patch(
    `${BASE}/:targetId`,
    {
      ...limited,
      schema: {
        summary: 'Change a restream target; a new address needs the key again',
        security,
        params: OfTarget,
        body: ref(RestreamTargetPatch),
        response: { 200: ref(RestreamTargetView), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const { body, params } = request;
      if (body.url !== undefined && body.key === undefined) {
        throw new ProblemError('bad_request', { detail: 'Give the stream key again: the address is another one.' });
      }
      if (body.url !== undefined) await check(guard, body.url, body.key ?? '');
      else if (body.key !== undefined) refuseIf(problemOfKey(body.key));
      const of = { ...ofSeller(request), targetId: params.targetId };
      return accepted(await updateRestreamTarget(db, sealer, of, body));
    },
  );
  app.delete(
    `${BASE}/:targetId`,
    {
      ...seller,
      schema: {
        summary: 'Stop sending there, for good',
        security,
        params: OfTarget,
        response: { 204: Type.Null(), ...PROBLEMS },
        tags,
      },
    },
    async (request, reply) => {
      accepted(await deleteRestreamTarget(db, { ...ofSeller(request), targetId: request.params.targetId }));
      return reply.code(204).send(null);
    },
  );
}

type OfShowRequest = FastifyRequest & { params: { id: string } };

function ofSeller(request: OfShowRequest): { showId: string; sellerId: string } {
  return { showId: request.params.id, sellerId: userOf(request).id };
}

async function targetsOf({ db, sealer }: RestreamRouteDeps, request: OfShowRequest): Promise<RestreamTargetView[]> {
  const targets = await restreamTargets(db, sealer, ofSeller(request));
  if (targets === null) throw new ProblemError('not_found');
  return targets;
}

async function check(guard: OutboundGuard, url: string, key: string): Promise<void> {
  refuseIf(problemOfUrl(url) ?? problemOfKey(key));
  const verdict = await guard.vet(pushUrl(url, key), 'restream');
  if (!verdict.ok) refuseIf(verdict.detail);
}

function refuseIf(detail: string | null): void {
  if (detail !== null) throw new ProblemError('target_refused', { detail });
}

function accepted<T>(result: ShowResult<T>): T {
  if (!result.ok) throw new ProblemError(result.reason);
  return result.value;
}
