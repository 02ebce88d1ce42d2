import { type Static, Type } from 'typebox';
import { PlaybackId, Uuid, WallMs } from './ids.ts';
import { RESTREAM_TARGETS_MAX, RestreamTarget } from './media-hooks.ts';

/** Sending a show on to other platforms: what the seller writes, what the media plane is told, what it tells back. */

/** Targets that a seller may give one show. */
export const RESTREAM_TARGETS_PER_SHOW_MAX = 5;

/**
 * `idle`: the show is not on air · `connecting` · `active`: the target has accepted the stream and bytes flow ·
 * `waiting`: the last attempt failed or broke and the next one is due later, or the target takes no data · `stopped`: over.
 */
export const RESTREAM_STATES = ['idle', 'connecting', 'active', 'waiting', 'stopped'] as const;
export const RestreamState = Type.Enum([...RESTREAM_STATES]);
export type RestreamState = Static<typeof RestreamState>;

const TargetName = Type.String({ minLength: 1, maxLength: 60, pattern: '\\S' });
const TargetUrl = Type.String({
  minLength: 8,
  maxLength: 500,
  description: 'Address of the ingest without the stream key, e.g. rtmps://live.example:443/app.',
});
const TargetKey = Type.String({ minLength: 1, maxLength: 500, description: 'Stream key. Never returned.' });

export const NewRestreamTarget = Type.Object(
  { name: TargetName, url: TargetUrl, key: TargetKey, isEnabled: Type.Optional(Type.Boolean()) },
  { $id: 'NewRestreamTarget', additionalProperties: false },
);
export type NewRestreamTarget = Static<typeof NewRestreamTarget>;

/** Only what is named changes. A new address needs the key again: it must not be sent where nobody typed it for. */
export const RestreamTargetPatch = Type.Object(
  {
    name: Type.Optional(TargetName),
    url: Type.Optional(TargetUrl),
    key: Type.Optional(TargetKey),
    isEnabled: Type.Optional(Type.Boolean()),
  },
  { $id: 'RestreamTargetPatch', additionalProperties: false, minProperties: 1 },
);
export type RestreamTargetPatch = Static<typeof RestreamTargetPatch>;

/** A target as its seller reads it back, with what the media plane last told of it. */
export const RestreamTargetView = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    url: Type.String(),
    maskedKey: Type.String({ description: 'Dots and the last four characters: ••••1234.' }),
    isEnabled: Type.Boolean(),
    state: RestreamState,
    /** Stable word, e.g. `denied`, `unreachable`; null while nothing is wrong. */
    reason: Type.Union([Type.String(), Type.Null()]),
    /** The same as a sentence for the seller. */
    message: Type.Union([Type.String(), Type.Null()]),
    stateAtMs: Type.Union([WallMs, Type.Null()]),
  },
  { $id: 'RestreamTargetView' },
);
export type RestreamTargetView = Static<typeof RestreamTargetView>;

export const RestreamTargetList = Type.Object(
  { targets: Type.Array(RestreamTargetView) },
  { $id: 'RestreamTargetList' },
);
export type RestreamTargetList = Static<typeof RestreamTargetList>;

/**
 * `PUT /api/v1/streams/{playbackId}/restream` on the media plane's admin listener: all targets of a show on air. A plan with
 * a lower revision than the one in force is older and changes nothing.
 */
export const RestreamPlan = Type.Object({
  revision: Type.Integer({ minimum: 0 }),
  targets: Type.Array(RestreamTarget, { maxItems: RESTREAM_TARGETS_MAX }),
});
export type RestreamPlan = Static<typeof RestreamPlan>;

/** Media → commerce, over the same signed `POST /internal/events` as stream events. At least once, in any order. */
export const RestreamStateChanged = Type.Object({
  id: Type.String({ minLength: 8, maxLength: 64, description: 'Unique; equals the webhook-id header.' }),
  version: Type.Literal(1),
  playbackId: PlaybackId,
  atMs: WallMs,
  type: Type.Literal('restream.state_changed'),
  data: Type.Object({
    showId: Uuid,
    targetId: Uuid,
    state: RestreamState,
    reason: Type.Optional(Type.String({ maxLength: 40 })),
    message: Type.Optional(Type.String({ maxLength: 300 })),
  }),
});
export type RestreamStateChanged = Static<typeof RestreamStateChanged>;
