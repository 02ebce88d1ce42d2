import { randomUUID } from 'node:crypto';
import type { PublisherRefused, StreamEvent } from '@showfloor/protocol';
import type { HubEvent } from '../hub/stream-hub.ts';
import type { PublisherRefusal } from '../ingest/refusal-notices.ts';

/** What the other planes are told of a hub event; every call makes a new event id. */
export function toStreamEvent(event: HubEvent): StreamEvent {
  return {
    id: `evt_${randomUUID()}`,
    version: 1,
    type: `stream.${event.type}`,
    playbackId: event.playbackId,
    atMs: event.atMs,
    data: {
      showId: event.showId,
      sessionId: event.sessionId,
      ...(event.reason === undefined ? {} : { reason: event.reason }),
      ...(event.graceEndsAtMs === undefined ? {} : { graceEndsAtMs: event.graceEndsAtMs }),
    },
  };
}

/** What commerce is told of an encoder that was turned away; every call makes a new event id. */
export function toPublisherRefused({ playbackId, showId, reason, text, atMs }: PublisherRefusal): PublisherRefused {
  const data = { showId, reason, text };
  return { id: `evt_${randomUUID()}`, version: 1, type: 'stream.publisher_refused', playbackId, atMs, data };
}
