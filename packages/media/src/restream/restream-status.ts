import type { RestreamState } from '@showfloor/protocol';
import type { PublishRejection } from '@showfloor/rtmp-client';

/**
 * Why a target is not active: what the RTMP client says, or `refused` (the outbound guard), `malformed` (no stream name in
 * the URL), `publisher_away` (nothing to send within the grace window).
 */
export type RestreamReason = PublishRejection['reason'] | 'refused' | 'malformed' | 'publisher_away';

/** Where one target stands. `message` is a sentence for the seller and holds no part of the URL. */
export type RestreamStatus = Readonly<{
  state: RestreamState;
  reason: RestreamReason | null;
  message: string | null;
  sinceMs: number;
}>;

/** What one attempt came to. `detail` replaces the usual sentence; `statusCode` is the target's own word. */
export type AttemptEnd = Readonly<{ reason: RestreamReason; detail?: string; statusCode?: string }>;

const MESSAGES: Readonly<Record<RestreamReason, string>> = {
  bad_name: 'Another encoder is on air there with this key.',
  denied: 'The target refused the stream key.',
  failed: 'The target could not take the stream.',
  rejected: 'The target does not know this application: check the path of the address.',
  unreachable: 'Nobody answers at this address.',
  tls: 'No secure connection: the certificate of the target does not fit its address.',
  timeout: 'The target did not answer in time.',
  closed: 'The target ended the connection.',
  stalled: 'The target takes no more data.',
  protocol: 'The target does not speak RTMP.',
  aborted: 'The connection was ended here.',
  refused: 'Nothing may be sent to this address.',
  malformed: 'The address or the stream key is incomplete.',
  publisher_away: 'Waiting for your encoder to come back.',
};

/** A target's own status code is repeated only in the form that RTMP gives it: it may say anything, also the key. */
const STATUS_CODE = /^Net(Stream|Connection)(\.[A-Z][A-Za-z]{1,24}){1,3}$/;

/** The sentence for the seller. */
export function messageOf({ reason, detail, statusCode }: AttemptEnd): string {
  const sentence = detail ?? MESSAGES[reason];
  return statusCode !== undefined && STATUS_CODE.test(statusCode) ? `${sentence} (${statusCode})` : sentence;
}
