import type { Problem, Reason } from '@showfloor/protocol';
import { countBug, type Logger } from '@showfloor/service-kit';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { isUnavailable } from '../database/database.ts';

type Kind = { readonly status: number; readonly title: string; readonly detail: string };

/** How each reason is answered: status, title, and what to do when the caller says nothing better. */
const KINDS: Readonly<Record<Reason, Kind>> = {
  bad_request: { status: 400, title: 'The request is not valid', detail: 'Correct the request and send it again.' },
  body_mismatch: {
    status: 422,
    title: 'This Idempotency-Key was used for another request',
    detail: 'Use a new Idempotency-Key for a new request.',
  },
  breached_password: {
    status: 422,
    title: 'This password is on public lists',
    detail: 'Choose a password that nobody else would think of.',
  },
  cart_changed: {
    status: 409,
    title: 'The cart comes to another total now',
    detail: 'Nothing was charged. Read the cart again, and confirm its total.',
  },
  cart_empty: { status: 409, title: 'The cart is empty', detail: 'Add something to the cart first.' },
  conflict: { status: 409, title: 'This is not possible now', detail: 'Reload and try again.' },
  email_taken: {
    status: 409,
    title: 'This e-mail address has an account',
    detail: 'Sign in, or use another e-mail address.',
  },
  forbidden: { status: 403, title: 'Not allowed', detail: 'Sign in with an account that may do this.' },
  hold_expired: {
    status: 409,
    title: 'A reservation has run out',
    detail: 'Add the product to the cart again, while there is stock.',
  },
  hold_limit: {
    status: 409,
    title: 'You hold as much as one buyer may',
    detail: 'Buy what is in the cart, or take something out of it.',
  },
  idempotency_key_required: {
    status: 400,
    title: 'The header Idempotency-Key is missing',
    detail: 'Send an Idempotency-Key of 8 to 128 characters; repeat the request with the same one.',
  },
  illegal_transition: {
    status: 409,
    title: 'The show is not in a state that allows this',
    detail: 'Reload the show: its state has changed.',
  },
  insufficient_stock: { status: 409, title: 'Not enough in stock', detail: 'Choose fewer units, or something else.' },
  internal: { status: 500, title: 'Something went wrong on our side', detail: 'Try again; we have been told.' },
  invalid_credentials: {
    status: 401,
    title: 'E-mail address or password is wrong',
    detail: 'Check both and try again.',
  },
  message_too_long: { status: 413, title: 'The request is too large', detail: 'Send less at a time.' },
  not_found: { status: 404, title: 'There is no such thing here', detail: 'Check the address.' },
  overloaded: { status: 503, title: 'Too many requests at this moment', detail: 'Try again in a second.' },
  payment_declined: {
    status: 402,
    title: 'The payment was declined',
    detail: 'Nothing was charged. Try another card; your cart is as it was.',
  },
  payment_pending: {
    status: 409,
    title: 'A payment is under way',
    detail: 'Wait for it to end; your orders show how it went.',
  },
  rate_limited: { status: 429, title: 'Too many requests', detail: 'Wait as long as Retry-After says.' },
  restream_limit: {
    status: 409,
    title: 'This show has as many restream targets as it may have',
    detail: 'Delete one of them first.',
  },
  target_refused: {
    status: 422,
    title: 'Nothing may be sent to this address',
    detail: 'Use the address that the other platform shows you.',
  },
  token_invalid: { status: 401, title: 'This link or session is no longer valid', detail: 'Sign in again.' },
  unauthenticated: { status: 401, title: 'Not signed in', detail: 'Sign in, or continue as a guest.' },
  unavailable: { status: 503, title: 'The shop is not available for a moment', detail: 'Try again in a few seconds.' },
};

export type ProblemExtras = {
  readonly detail?: string;
  readonly availableUnits?: number;
  readonly retryAfterMs?: number;
};

/** An expected refusal, thrown where a request is handled and answered as a problem document. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly reason: Reason;
  readonly extras: ProblemExtras;
  constructor(reason: Reason, extras: ProblemExtras = {}) {
    super(reason);
    this.reason = reason;
    this.extras = extras;
  }
}

/** Waits this long are asked for when nothing better is known. */
const RETRY_AFTER_MS: Partial<Record<Reason, number>> = {
  unavailable: 2_000,
  overloaded: 1_000,
  payment_pending: 2_000,
};

/** Every error of a request ends here. Unexpected ones are counted as bugs; their text stays in the log. */
export function answerError(
  log: Logger,
  error: FastifyError | ProblemError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const problem = toProblemError(error);
  if (problem.reason === 'internal') {
    countBug();
    log.error({ err: error, requestId: request.id, route: request.routeOptions.url }, 'http.failed');
  } else if (problem.reason === 'unavailable') {
    log.warn({ requestId: request.id, why: error.message }, 'http.unavailable');
  }
  sendProblem(request, reply, problem);
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: ProblemError): void {
  const kind = KINDS[error.reason];
  const retryAfterMs = error.extras.retryAfterMs ?? RETRY_AFTER_MS[error.reason];
  const body: Problem = {
    type: `/problems/${error.reason}`,
    title: kind.title,
    status: kind.status,
    detail: error.extras.detail ?? kind.detail,
    reason: error.reason,
    requestId: request.id,
    ...(error.extras.availableUnits === undefined ? {} : { availableUnits: error.extras.availableUnits }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  if (retryAfterMs !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  reply
    .code(kind.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(body);
}

function toProblemError(error: FastifyError | ProblemError | Error): ProblemError {
  if (error instanceof ProblemError) return error;
  if (isUnavailable(error)) return new ProblemError('unavailable');
  const { statusCode, validation, message } = error as FastifyError;
  if (validation !== undefined) return new ProblemError('bad_request', { detail: message });
  if (statusCode === 413) return new ProblemError('message_too_long');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ProblemError('bad_request', { detail: message });
  }
  return new ProblemError('internal');
}
