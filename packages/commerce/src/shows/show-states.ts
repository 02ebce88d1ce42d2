import type { ShowStatus } from '@showfloor/protocol';

/** What may happen to a show. `start`, `stop` and `cancel` are the seller's, the others come with the stream. */
export type ShowMove = 'start' | 'publish' | 'interrupt' | 'resume' | 'stop' | 'end' | 'cancel';

/**
 * The only place that knows which move is legal where. Publishing to a show that is live already is a publisher's return
 * after the media plane was restarted.
 */
const LEGAL: Readonly<Record<ShowStatus, Partial<Record<ShowMove, ShowStatus>>>> = {
  scheduled: { start: 'ready', publish: 'live', cancel: 'cancelled' },
  ready: { publish: 'live', cancel: 'cancelled' },
  live: { publish: 'live', interrupt: 'interrupted', resume: 'live', stop: 'ended', end: 'ended' },
  interrupted: { publish: 'live', interrupt: 'interrupted', resume: 'live', stop: 'ended', end: 'ended' },
  ended: {},
  cancelled: {},
};

/** The state after the move, or null when it is not legal. */
export function nextStatus(status: ShowStatus, move: ShowMove): ShowStatus | null {
  return LEGAL[status][move] ?? null;
}

/** States in which a publisher with the right key is let in. */
export function admitsPublisher(status: ShowStatus): boolean {
  return nextStatus(status, 'publish') !== null;
}

/** Ended and cancelled shows are history: nothing about them changes any more. */
export function isOver(status: ShowStatus): boolean {
  return status === 'ended' || status === 'cancelled';
}
