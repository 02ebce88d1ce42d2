import { wallMsAt } from '../clock.ts';
import type { ActorContext } from './actor.ts';

/** Wall clocks are read in whole milliseconds: an age down to minus this is 0, not a clock that is ahead. */
const WALL_RESOLUTION_MS = 1;

/** Age at the monotonic instant `atMs` of what bears the wall-clock stamp `stampMs` of the target. Below zero: a clock is ahead. */
export function ageMs({ clockOffsetMs }: Pick<ActorContext, 'clockOffsetMs'>, atMs: number, stampMs: number): number {
  const age = wallMsAt(atMs) + clockOffsetMs - stampMs;
  return age < 0 && age >= -WALL_RESOLUTION_MS ? 0 : age;
}

/** Stamps are whole milliseconds; a publisher and a server in step differ by less than this. */
const LEAD_MS_MIN = 50;

/** How far the publisher's clock is ahead of the server's, at least; null when the two stamps of a picture do not show that it is. */
export function publisherLeadMs(captureMs: number | undefined, ingestMs: number | undefined): number | null {
  if (captureMs === undefined || ingestMs === undefined) return null;
  const leadMs = captureMs - ingestMs;
  return leadMs >= LEAD_MS_MIN ? Math.round(leadMs) : null;
}
