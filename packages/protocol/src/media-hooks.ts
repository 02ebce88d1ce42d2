import { type Static, Type } from 'typebox';
import { PlaybackId, Uuid } from './ids.ts';

/**
 * Hooks of the media server, answered by commerce at `POST /api/streaming/hooks/{action}`. Field names are SRS's, so
 * that SRS can stand in for media-server (SRS HTTP callback: https://ossrs.io/lts/en-us/docs/v6/doc/http-callback).
 * `param` carries the query part of the stream key (`?key=…`): it is a secret and is never logged.
 */
export const MEDIA_HOOK_ACTIONS = ['on_publish', 'on_unpublish', 'on_play', 'on_stop', 'on_dvr'] as const;
export type MediaHookAction = (typeof MEDIA_HOOK_ACTIONS)[number];

export const MediaHookRequest = Type.Object({
  action: Type.Enum([...MEDIA_HOOK_ACTIONS]),
  client_id: Type.String({ maxLength: 64 }),
  ip: Type.String({ maxLength: 64 }),
  vhost: Type.Optional(Type.String()),
  app: Type.String({ maxLength: 128 }),
  stream: Type.String({ maxLength: 256, description: 'The playback id.' }),
  param: Type.Optional(Type.String({ maxLength: 1024 })),
  tcUrl: Type.Optional(Type.String({ maxLength: 1024 })),
  server_id: Type.Optional(Type.String()),
  cwd: Type.Optional(Type.String({ maxLength: 1024, description: '`on_dvr`: what `file` is relative to.' })),
  file: Type.Optional(Type.String({ maxLength: 1024, description: '`on_dvr`: the finished recording.' })),
});
export type MediaHookRequest = Static<typeof MediaHookRequest>;

/** At most this many restream targets of one show. */
export const RESTREAM_TARGETS_MAX = 10;

/** `url` (rtmp or rtmps, with app and key) is a secret: never logged. `id` is the name it goes by. */
export const RestreamTarget = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' }),
  url: Type.String({ maxLength: 1024, pattern: '^rtmps?://' }),
});
export type RestreamTarget = Static<typeof RestreamTarget>;

/**
 * `code` 0 admits, anything else refuses (SRS's rule; the HTTP status is 200 either way). `reason` on refusal is one of
 * `unknown_stream`, `wrong_key`, `not_scheduled`. `data` comes with an admitted `on_publish`.
 */
export const MediaHookAnswer = Type.Object({
  code: Type.Integer(),
  reason: Type.Optional(Type.Enum(['unknown_stream', 'wrong_key', 'not_scheduled'])),
  data: Type.Optional(
    Type.Object({
      showId: Uuid,
      playbackId: PlaybackId,
      graceMs: Type.Integer({ minimum: 0, description: 'How long a dropped publisher may take to return.' }),
      restreamTargets: Type.Optional(Type.Array(RestreamTarget, { maxItems: RESTREAM_TARGETS_MAX })),
      /** Grows with each change of the targets: an answer that was remembered must not undo a later `RestreamPlan`. */
      restreamRevision: Type.Optional(Type.Integer({ minimum: 0 })),
      recording: Type.Optional(Type.Object({ isEnabled: Type.Boolean() })),
    }),
  ),
});
export type MediaHookAnswer = Static<typeof MediaHookAnswer>;

/** `POST /api/streaming/srs-heartbeat`, every 9.9 s (SRS's default interval). */
export const MediaHeartbeat = Type.Object({
  device_id: Type.String({ maxLength: 64 }),
  ip: Type.Optional(Type.String()),
  summaries: Type.Optional(Type.Unknown()),
});
export type MediaHeartbeat = Static<typeof MediaHeartbeat>;
