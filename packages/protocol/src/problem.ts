import { type Static, Type } from 'typebox';

/**
 * Expected refusals, as stable codes: the `reason` of a problem document, of a Socket.IO acknowledgement and of a
 * `{ ok: false }` result. Clients switch on these, never on the sentence beside them.
 */
export const REASONS = [
  'bad_request',
  'body_mismatch',
  'breached_password',
  'cart_changed',
  'cart_empty',
  'conflict',
  'email_taken',
  'forbidden',
  'hold_expired',
  'hold_limit',
  'idempotency_key_required',
  'illegal_transition',
  'insufficient_stock',
  'internal',
  'invalid_credentials',
  'message_too_long',
  'not_found',
  'overloaded',
  'payment_declined',
  'payment_pending',
  'rate_limited',
  'restream_limit',
  'target_refused',
  'token_invalid',
  'unauthenticated',
  'unavailable',
] as const;
export type Reason = (typeof REASONS)[number];

/** RFC 9457 problem document; media type `application/problem+json`. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'URI reference of the kind of problem: /problems/{reason}.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'A sentence that says what to do.' }),
    reason: Type.Enum([...REASONS]),
    availableUnits: Type.Optional(Type.Integer({ minimum: 0 })),
    retryAfterMs: Type.Optional(Type.Integer({ minimum: 0 })),
    requestId: Type.Optional(Type.String()),
  },
  { $id: 'Problem' },
);
export type Problem = Static<typeof Problem>;
