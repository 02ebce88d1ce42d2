import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Standard Webhooks 1.0, symmetric scheme: base64 HMAC-SHA256 over `id.timestamp.body`.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export type SignatureHeaders = {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
};

/** Older or newer than this is refused, so that a captured request cannot be replayed later. */
const TOLERANCE_SECONDS = 300;

/** Headers for `body`. `secret` is `whsec_` + base64. */
export function signWebhook(secret: string, id: string, nowMs: number, body: string): SignatureHeaders {
  const timestamp = String(Math.floor(nowMs / 1000));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${digest(secret, id, timestamp, body).toString('base64')}`,
  };
}

/**
 * True when one of the signatures in the headers fits the raw body and the timestamp is within five minutes of `nowMs`.
 * `headers` are a Node request's.
 */
export function verifyWebhook(
  secret: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  nowMs: number,
  body: string,
): boolean {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return false;
  const seconds = Number(timestamp);
  if (!Number.isSafeInteger(seconds) || Math.abs(nowMs / 1000 - seconds) > TOLERANCE_SECONDS) return false;
  const expected = digest(secret, id, timestamp, body);
  return signatures.split(' ').some((part) => {
    const [version, encoded] = part.split(',');
    if (version !== 'v1' || encoded === undefined) return false;
    const given = Buffer.from(encoded, 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function digest(secret: string, id: string, timestamp: string, body: string): Buffer {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
}
