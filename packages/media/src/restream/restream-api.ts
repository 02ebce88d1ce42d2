import type { IncomingMessage, ServerResponse } from 'node:http';
import { RestreamPlan } from '@showfloor/protocol';
import { Value } from 'typebox/value';
import type { RestreamDesk } from './restream-desk.ts';
import type { RestreamFacts } from './restreamer.ts';

const BODY_BYTES_MAX = 64 * 1024;
/** SRS's `code` for a thing that is not there. */
const CODE_NOT_FOUND = 2049;
const PATH = /^\/api\/v1\/streams\/([^/]+)\/restream\/?$/;

/**
 * `GET` and `PUT /api/v1/streams/{playbackId}/restream` on the admin listener: what the targets do, and which they are. Not SRS's.
 * Returns true when it has answered or will.
 */
export function handleRestream(desk: RestreamDesk, request: IncomingMessage, response: ServerResponse): boolean {
  const playbackId = PATH.exec((request.url ?? '').split('?')[0] ?? '')?.[1];
  if (playbackId === undefined) return false;
  if (request.method === 'GET') {
    send(response, 200, { code: 0, restream: desk.factsOf(playbackId).map(restreamFields) });
  } else if (request.method === 'PUT') {
    void takePlan(desk, playbackId, request, response); // answers in every case
  } else {
    send(response, 405, { code: 1 });
  }
  return true;
}

/** A target in the spelling of SRS's API. */
export function restreamFields(facts: RestreamFacts): Record<string, unknown> {
  const { status } = facts;
  return {
    id: facts.id,
    state: status.state,
    reason: status.reason,
    message: status.message,
    state_ms: Math.max(0, Date.now() - status.sinceMs),
    kbps: Math.round(facts.bitrateBps / 1000),
    frame_rate: facts.frameRate,
    send_bytes: facts.sentBytes,
    backlog_bytes: facts.backlogBytes,
    acknowledged_bytes: facts.acknowledgedBytes,
    dropped_packets: facts.droppedPackets,
    attempts: facts.attempts,
    failures: facts.failuresInARow,
    retry_in_ms: facts.retryInMs,
  };
}

async function takePlan(
  desk: RestreamDesk,
  playbackId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const plan = await readPlan(request);
  if (plan === null) {
    send(response, 400, { code: 1 });
    return;
  }
  const outcome = desk.plan(playbackId, plan);
  if (outcome === 'unknown') send(response, 404, { code: CODE_NOT_FOUND });
  else send(response, 200, { code: 0, outcome });
}

/** Null for a body that is too long, broken off, or no plan. */
async function readPlan(request: IncomingMessage): Promise<RestreamPlan | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > BODY_BYTES_MAX) return null;
      parts.push(part);
    }
    const value: unknown = JSON.parse(Buffer.concat(parts).toString());
    return Value.Check(RestreamPlan, value) ? value : null;
  } catch {
    return null; // answered with 400
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
