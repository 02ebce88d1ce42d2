import type { ShowStatus } from '@showfloor/protocol';

/** Viewers see it, or wait for its publisher to come back. */
export function isOnAir(status: ShowStatus): boolean {
  return status === 'live' || status === 'interrupted';
}

/** History: nothing about it can be changed any more. */
export function isOver(status: ShowStatus): boolean {
  return status === 'ended' || status === 'cancelled';
}
