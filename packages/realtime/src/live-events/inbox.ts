import type { IncomingMessage, ServerResponse } from 'node:http';
import { LIVE_EVENT_BYTES_MAX, LiveEvent, type LiveEventType, SessionRevoked } from '@showfloor/protocol';
import { type Logger, verifyWebhook } from '@showfloor/service-kit';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { BoundedMap } from '../bounded-map.ts';
import type { RealtimeMetrics } from '../realtime-metrics.ts';
import type { LiveEventRelay } from './live-event-relay.ts';

/** Ids remembered; more than arrive while a signature is valid (5 minutes at 150 events a second). */
export const INBOX_IDS_MAX = 50_000;

const knownEvent = Compile(Type.Union([LiveEvent, SessionRevoked]));
/** Version 1 grows additively: a signed event of a type we do not know yet is taken and ignored. */
const anyEvent = Compile(Type.Object({ id: Type.String(), version: Type.Literal(1), type: Type.String() }));
const KNOWN_TYPES = new Set<string>(
  Object.keys({
    'stream.started': 1,
    'stream.interrupted': 1,
    'stream.resumed': 1,
    'stream.ended': 1,
    'product.pinned': 1,
    'product.unpinned': 1,
    'product.added': 1,
    'product.updated': 1,
    'product.deleted': 1,
    'stock.changed': 1,
    'show.changed': 1,
    'session.revoked': 1,
  } satisfies Record<LiveEventType | SessionRevoked['type'], 1>),
);

type Result = 'accepted' | 'stale' | 'duplicate' | 'ignored' | 'forged' | 'malformed' | 'too_large' | 'failed';
const STATUS: Readonly<Record<Result, number>> = {
  accepted: 200,
  stale: 200,
  duplicate: 200,
  ignored: 200,
  malformed: 400,
  forged: 401,
  too_large: 413,
  failed: 503,
};

export type InboxOptions = {
  readonly secret: string;
  readonly relay: LiveEventRelay;
  readonly metrics: RealtimeMetrics;
  readonly log: Logger;
  /** An event was taken here: other nodes must hear of it. */
  readonly onTaken?: ((event: LiveEvent | SessionRevoked) => void) | undefined;
  readonly idsMax?: number;
};

/**
 * `POST /internal/events`: one signed event of another plane (Standard Webhooks). Nothing in a body is looked at before its
 * signature fits. Delivery is at least once: an id seen before is acknowledged and not relayed again.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #seen: BoundedMap<string, true>;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#seen = new BoundedMap(options.idsMax ?? INBOX_IDS_MAX);
  }

  /** Answers the request. Never throws; a sender that hangs up is forgotten. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      response.writeHead(405, { allow: 'POST' }).end();
      return;
    }
    const body = await readBody(request);
    if (body === 'aborted') return;
    const result = body === 'too_large' ? body : this.#receive(request, body.toString('utf8'));
    this.#options.metrics.inbox.inc({ result });
    const closing = result === 'too_large' ? { connection: 'close' } : {};
    response.writeHead(STATUS[result], { 'content-type': 'application/json', ...closing });
    response.end(JSON.stringify({ result }));
  }

  /** An event that another node's inbox has taken. May be one that is known, or none at all. */
  hear(event: unknown): 'accepted' | 'stale' | 'duplicate' | 'ignored' | 'malformed' | 'failed' {
    if (!anyEvent.Check(event)) return 'malformed';
    if (this.#seen.has(event.id)) return 'duplicate';
    if (!knownEvent.Check(event)) return KNOWN_TYPES.has(event.type) ? 'malformed' : 'ignored';
    this.#seen.set(event.id, true);
    try {
      return this.#options.relay.relay(event);
    } catch (error) {
      this.#options.log.error({ err: error, eventId: event.id, eventType: event.type }, 'live_event.failed');
      return 'failed';
    }
  }

  #receive(request: IncomingMessage, body: string): Result {
    if (!verifyWebhook(this.#options.secret, request.headers, Date.now(), body)) return 'forged';
    let event: unknown;
    try {
      event = JSON.parse(body);
    } catch {
      return 'malformed';
    }
    if (!anyEvent.Check(event) || event.id !== request.headers['webhook-id']) return 'malformed';
    if (this.#seen.has(event.id)) return 'duplicate';
    if (!knownEvent.Check(event)) return KNOWN_TYPES.has(event.type) ? 'malformed' : 'ignored';
    try {
      const result = this.#options.relay.relay(event);
      this.#seen.set(event.id, true);
      this.#options.metrics.eventAge.observe(Math.max(0, Date.now() - event.atMs) / 1000);
      if (result === 'accepted') this.#options.onTaken?.(event);
      return result;
    } catch (error) {
      this.#options.onTaken?.(event); // a revocation that this disk refused is in force all the same
      this.#options.log.error({ err: error, eventId: event.id, eventType: event.type }, 'live_event.failed');
      return 'failed';
    }
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | 'too_large' | 'aborted'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Not destroyed on return: a body that is too large still gets its answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > LIVE_EVENT_BYTES_MAX) return 'too_large';
      chunks.push(chunk);
    }
  } catch {
    return 'aborted'; // the sender hung up: it will deliver again
  }
  return Buffer.concat(chunks);
}
