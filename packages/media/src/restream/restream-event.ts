import { randomUUID } from 'node:crypto';
import type { RestreamStateChanged } from '@showfloor/protocol';
import type { RestreamChange } from './restream-desk.ts';

/** What commerce is told of a target; every call makes a new event id. */
export function toRestreamEvent({ playbackId, showId, targetId, atMs, status }: RestreamChange): RestreamStateChanged {
  const { state, reason, message } = status;
  return {
    id: `evt_${randomUUID()}`,
    version: 1,
    type: 'restream.state_changed',
    playbackId,
    atMs,
    data: {
      showId,
      targetId,
      state,
      ...(reason === null ? {} : { reason }),
      ...(message === null ? {} : { message }),
    },
  };
}
