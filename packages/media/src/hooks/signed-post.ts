import { randomUUID } from 'node:crypto';
import { signWebhook } from '@showfloor/service-kit';

/** `no_answer`: nobody there, or not in time. */
export type PostResult = Readonly<{ kind: 'answer'; status: number; text: string }> | Readonly<{ kind: 'no_answer' }>;

const ANSWER_CHARS_MAX = 64 * 1024;

/**
 * POSTs JSON under our webhook signature. Never rejects. `id` is the webhook-id; the same on every retry. `signal` gives the
 * request up: `no_answer`.
 */
export async function signedPost(options: {
  url: string;
  secret: string;
  body: unknown;
  timeoutMs: number;
  id?: string;
  signal?: AbortSignal;
}): Promise<PostResult> {
  const body = JSON.stringify(options.body);
  const signature = signWebhook(options.secret, options.id ?? `msg_${randomUUID()}`, Date.now(), body);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  try {
    const response = await fetch(options.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signature },
      body,
      redirect: 'error',
      signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
    });
    const text = await response.text();
    return { kind: 'answer', status: response.status, text: text.slice(0, ANSWER_CHARS_MAX) };
  } catch {
    return { kind: 'no_answer' }; // the caller counts it under its own name
  }
}
