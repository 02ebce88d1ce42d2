import {
  type MediaHookAnswer,
  MediaHookAnswer as MediaHookAnswerSchema,
  type MediaHookRequest,
} from '@showfloor/protocol';
import type { Logger } from '@showfloor/service-kit';
import { Value } from 'typebox/value';
import type { Admit, AdmitAnswer, AdmitRequest } from '../ingest/admission.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import { signedPost } from './signed-post.ts';

const TIMEOUT_MS = 3_000;

/** The judge of production: asks commerce by a signed `on_publish`, for at most 3 s. */
export function createPublishHook(options: {
  url: string;
  secret: string;
  metrics: MediaMetrics;
  log: Logger;
  timeoutMs?: number;
}): Admit {
  const { url, secret, metrics, log } = options;
  return async (request) => {
    const body = hookBody(request);
    const result = await signedPost({ url, secret, body, timeoutMs: options.timeoutMs ?? TIMEOUT_MS });
    const answer = result.kind === 'answer' && result.status === 200 ? readAnswer(result.text) : null;
    if (answer === null) {
      metrics.hookRequests.inc({ outcome: 'unreachable' });
      const status = result.kind === 'answer' ? result.status : 0;
      log.warn({ playbackId: request.playbackId, status }, 'publish_hook.unreachable');
      return { ok: false, reason: 'unreachable' };
    }
    const decision = decide(answer);
    metrics.hookRequests.inc({ outcome: decision.ok ? 'accepted' : decision.reason });
    return decision;
  };
}

function hookBody(request: AdmitRequest): MediaHookRequest {
  return {
    action: 'on_publish',
    client_id: request.clientId,
    ip: request.ip,
    app: request.app,
    stream: request.playbackId,
    param: `?key=${encodeURIComponent(request.key)}`,
  };
}

/** An answer that is not in the agreed shape is no answer. */
function readAnswer(text: string): MediaHookAnswer | null {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(MediaHookAnswerSchema, value) ? value : null;
  } catch {
    return null; // counted as unreachable
  }
}

function decide(answer: MediaHookAnswer): AdmitAnswer {
  if (answer.code !== 0) return { ok: false, reason: answer.reason ?? 'wrong_key' };
  if (answer.data === undefined) return { ok: false, reason: 'unreachable' };
  const { showId, graceMs, restreamTargets, restreamRevision, recording } = answer.data;
  return {
    ok: true,
    showId,
    graceMs,
    ...(restreamTargets === undefined ? {} : { restreamTargets }),
    ...(restreamRevision === undefined ? {} : { restreamRevision }),
    ...(recording === undefined ? {} : { recording }),
  };
}
