import { type Static, Type } from 'typebox';
import { WallMs } from './ids.ts';

/** `GET /api/client-config`: where the planes are, for the web app and for the lab. Base URLs have no trailing slash. */
export const ClientConfig = Type.Object(
  {
    version: Type.Literal(1),
    video: Type.Object({ baseUrl: Type.String({ description: 'Serves /live/{playbackId}.flv' }) }),
    realtime: Type.Object({ baseUrl: Type.String(), path: Type.String({ default: '/socket.io' }) }),
    commerce: Type.Object({ baseUrl: Type.String() }),
    ingest: Type.Object({ rtmpUrl: Type.String({ description: 'e.g. rtmp://127.0.0.1:1935/live' }) }),
    payment: Type.Object({ provider: Type.Literal('test'), testCard: Type.String() }),
    serverNowMs: WallMs,
  },
  { $id: 'ClientConfig' },
);
export type ClientConfig = Static<typeof ClientConfig>;
