import {
  LIVE_EVENTS_PATH,
  MEDIA_HOOK_ACTIONS,
  MediaHeartbeat,
  MediaHookAnswer,
  MediaHookRequest,
  PublisherRefused,
  RestreamStateChanged,
  StreamEvent,
} from '@showfloor/protocol';
import type { Counter, Logger, Sealer } from '@showfloor/service-kit';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Tables } from '../database/tables.ts';
import type { App } from '../http/app.ts';
import { PROBLEMS } from '../http/schemas.ts';
import { applyRestreamState } from '../restream/restream-states.ts';
import { admitPublisher } from './media-admission.ts';
import type { MediaHeartbeats } from './media-heartbeats.ts';
import { applyPublisherRefused } from './publisher-refusals.ts';
import { followSrs } from './srs-publishing.ts';
import { applyStreamEvent } from './stream-events.ts';

export type MediaRouteDeps = {
  readonly db: Kysely<Tables>;
  readonly log: Logger;
  readonly graceMs: number;
  /** Opens the keys of restream targets for the media plane. */
  readonly sealer: Sealer;
  readonly heartbeats: MediaHeartbeats;
  readonly admissions: Counter<'outcome'>;
  readonly streamEvents: Counter<'type' | 'outcome'>;
};

const Outcome = Type.Object({ outcome: Type.String() });
const tags = ['internal'];
const config = { rateLimit: false } as const;

async function judge(
  hook: MediaHookRequest,
  { db, graceMs, sealer, admissions, log }: MediaRouteDeps,
): Promise<MediaHookAnswer> {
  const answer = await admitPublisher(db, hook, graceMs, sealer);
  const outcome = answer.reason ?? 'admitted';
  admissions.inc({ outcome });
  log.info({ playbackId: hook.stream, ip: hook.ip, outcome }, 'publisher.judged');
  return answer;
}

/** What the media plane calls. Register below a scope that checks signatures. */
export function registerMediaRoutes(app: App, deps: MediaRouteDeps): void {
  const { db, log } = deps;
  for (const action of MEDIA_HOOK_ACTIONS) {
    app.post(
      `/api/streaming/hooks/${action}`,
      {
        config,
        schema: {
          summary: `Media hook ${action} (signed, or with the secret in the URL)`,
          body: MediaHookRequest,
          response: { 200: MediaHookAnswer, ...PROBLEMS },
          tags,
        },
      },
      async (request) => {
        const { body, isSigned } = request;
        const answer = action === 'on_publish' ? await judge(body, deps) : { code: 0 };
        if (isSigned || answer.code !== 0) return answer;
        // The address of the hook must agree with what it says it is.
        const outcome = await followSrs(db, { ...body, action }, { nowMs: Date.now(), graceMs: deps.graceMs });
        log.info({ playbackId: body.stream, action, outcome }, 'srs.followed');
        return { code: 0 }; // SRS asks for no more, and its log is not the place for restream targets
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
        body: Type.Union([StreamEvent, RestreamStateChanged, PublisherRefused]),
        response: { 200: Outcome, ...PROBLEMS },
        tags,
      },
    },
    async (request) => {
      const { type, playbackId } = request.body;
      const outcome = await applyEvent(db, request.body);
      deps.streamEvents.inc({ type, outcome });
      log.info({ playbackId, type, outcome }, 'stream_event.received');
      return { outcome };
    },
  );
}

function applyEvent(db: Kysely<Tables>, event: StreamEvent | RestreamStateChanged | PublisherRefused): Promise<string> {
  switch (event.type) {
    case 'restream.state_changed':
      return applyRestreamState(db, event);
    case 'stream.publisher_refused':
      return applyPublisherRefused(db, event);
    default:
      return applyStreamEvent(db, event);
  }
}
