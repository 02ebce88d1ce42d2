import { type Static, Type } from 'typebox';

/** Public name of a show on every plane: in viewer URLs, rooms and events. Never the stream key. */
export const PlaybackId = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{2,31}$', description: 'Public id of a show.' });
export type PlaybackId = Static<typeof PlaybackId>;

/** Row ids of the commerce plane. */
export const Uuid = Type.String({ format: 'uuid' });

/** Wall clock in milliseconds since the Unix epoch. */
export const WallMs = Type.Integer({ minimum: 0, description: 'Wall clock, ms since the Unix epoch.' });
