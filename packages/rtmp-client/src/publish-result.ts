/**
 * Why a publish attempt did not succeed:
 * `bad_name` another encoder is on air under this name · `denied` the server refused the key or the stream ·
 * `failed` the server could not decide or broke off · `rejected` it refused the connection's app ·
 * `unreachable` no TCP connection · `tls` no secure one (its certificate) · `timeout` no answer in time · `closed` the
 * connection ended · `stalled` it took no more bytes · `protocol` the answer was not RTMP · `aborted` our own signal.
 */
export type PublishRefusal =
  | 'bad_name'
  | 'denied'
  | 'failed'
  | 'rejected'
  | 'unreachable'
  | 'tls'
  | 'timeout'
  | 'closed'
  | 'stalled'
  | 'protocol'
  | 'aborted';

/** `statusCode` is the server's own, e.g. `NetStream.Publish.BadName`, when it gave one. */
export type PublishRejection = Readonly<{ ok: false; reason: PublishRefusal; statusCode?: string }>;

const REASONS = new Map<string, PublishRefusal>([
  ['NetStream.Publish.BadName', 'bad_name'],
  ['NetStream.Publish.Denied', 'denied'],
  ['NetConnection.Connect.Rejected', 'rejected'],
  ['NetConnection.Connect.InvalidApp', 'rejected'],
]);

/** Maps a server's status code to a reason; unknown error codes are `failed`. */
export function refusalOf(statusCode: string): PublishRejection {
  return { ok: false, reason: REASONS.get(statusCode) ?? 'failed', statusCode };
}

const SENTENCES: Readonly<Record<PublishRefusal, string>> = {
  bad_name: 'somebody else is on air with this key',
  denied: 'the key is not valid or the show is over: look at the show in the studio',
  failed: 'the server could not decide',
  rejected: 'the server refused the connection: the path must begin with /live',
  unreachable: 'nobody listens at this address',
  tls: 'no secure connection: the certificate is not valid for this name',
  timeout: 'no answer',
  closed: 'the connection ended',
  stalled: 'the server takes no more',
  protocol: 'the answer was not RTMP',
  aborted: 'stopped',
};

/** A refusal for people, without a full stop. */
export function describeRefusal(reason: PublishRefusal): string {
  return SENTENCES[reason];
}
