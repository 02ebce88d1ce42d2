import {
  LIVE_EVENTS_PATH,
  MEDIA_HOOK_ACTIONS,
  MediaHeartbeat,
  MediaHookAnswer,
  MediaHookRequest,
  StreamEvent,
} from '@showfloor/protocol';
import type { Counter, Logger } from '@showfloor/service-kit';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Tables } from '../database/tables.ts';
import type { App } from '../http/app.ts';
import { PROBLEMS } from '../http/schemas.ts';
import { admitPublisher } from './media-admission.ts';
import type { MediaHeartbeats } from './media-heartbeats.ts';
import { applyStreamEvent } from './stream-events.ts';

export type MediaRouteDeps = {
  readonly db: Kysely<Tables>;
  readonly log: Logger;
  readonly graceMs: number;
  readonly heartbeats: MediaHeartbeats;
  readonly admissions: Counter<'outcome'>;
  readonly streamEvents: Counter<'type' | 'outcome'>;
};

const Outcome = Type.Object({ outcome: Type.String() });
const tags = ['internal'];
const config = { rateLimit: false } as const;

/** What the media plane calls. Register below a scope that checks signatures. */
export function registerMediaRoutes(app: App, deps: MediaRouteDeps): void {
  const { db, log } = deps;
  for (const action of MEDIA_HOOK_ACTIONS) {
    app.post(
      `/api/streaming/hooks/${action}`,
      {
        config,
        schema: {
          summary: `Media hook ${action} (signed)`,
          body: MediaHookRequest,
          response: { 200: MediaHookAnswer, ...PROBLEMS },
          tags,
        },
      },
      async (request) => {
        if (action !== 'on_publish') return { code: 0 };
        const answer = await admitPublisher(db, request.body, deps.graceMs);
        const outcome = answer.reason ?? 'admitted';
        deps.admissions.inc({ outcome });
        log.info({ playbackId: request.body.stream, ip: request.body.ip, outcome }, 'publisher.judged');
        return answer;
      },
    );
  }
  app.post(
    '/api/streaming/srs-heartbeat',
    {
      config,
      schema: {
        summary: 'Heartbeat of a media server (signed)',
        body: MediaHeartbeat,
        response: { 200: Type.Object({ code: Type.Integer() }), ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      deps.heartbeats.record(request.body, Date.now());
      return { code: 0 };
    },
  );
  app.post(
    LIVE_EVENTS_PATH,
    {
      config,
      schema: {
        summary: 'Inbox of stream events (signed); an id counts once',
        body: StreamEvent,
        response: { 200: Outcome, ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const { type, playbackId } = request.body;
      const outcome = await applyStreamEvent(db, request.body);
      deps.streamEvents.inc({ type, outcome });
      log.info({ playbackId, type, outcome }, 'stream_event.received');
      return { outcome };
    },
  );
}
