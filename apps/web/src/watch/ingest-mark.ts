import { decodeWallClockSei, INGEST_TIME_SEI_UUID } from '@showfloor/media-formats';
import type { ClockMark } from './media-clock.ts';

/**
 * What mpegts.js 1.8 hands out with `SEI_ARRIVED`: `pts` in milliseconds on the time line of the media element (the
 * first decode time is already taken off), `uuid` and `user_data` for user_data_unregistered (payload type 5) only.
 */
export type PlayerSei = {
  readonly type: number;
  readonly uuid?: Uint8Array;
  readonly user_data?: Uint8Array;
  readonly pts?: number;
};

/** Reads the media server's arrival stamp out of a player's SEI event; null for every other message. */
export function readIngestMark(sei: PlayerSei): ClockMark | null {
  const { uuid, user_data: payload, pts } = sei;
  if (uuid === undefined || payload === undefined || pts === undefined) return null;
  if (!INGEST_TIME_SEI_UUID.every((byte, index) => uuid[index] === byte)) return null;
  const wallMs = decodeWallClockSei(payload);
  return wallMs === null ? null : { playerMs: pts, wallMs };
}
