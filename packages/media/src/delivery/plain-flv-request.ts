/**
 * The usual request for an FLV stream, read from the first bytes of a connection. What node:http keeps of a request for as long as its
 * connection lives (a parser, five listeners, request and response) is two thirds of what a viewer takes, so whoever asks in the usual way
 * never gets there. Anything else does, also what is malformed: this file refuses nothing and answers nothing.
 */

/** What counts of such a request. */
export type PlainFlvRequest = Readonly<{
  playbackId: string;
  /** All there are, in their order; undefined for none. */
  forwardedFor: string | undefined;
}>;

/** Longer heads are node:http's to refuse. */
const HEAD_BYTES_MAX = 8_192;

/** One complete head and nothing behind it. Classes next to each other have no character in common: no backtracking. */
const HEAD =
  /^GET \/live\/(?:live\/)?([a-z0-9-]{1,64})\.flv(?:\?[!-~]*)? HTTP\/1\.[01]\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n)+)\r\n$/;
/** Bodies, other protocols, and what a server has to answer in its own way. */
const UNUSUAL = /^(?:content-length|transfer-encoding|upgrade|expect|http2-settings|te|trailer):/im;
const HOST = /^host:/gim;
const FORWARDED_FOR = /^x-forwarded-for:([\t -~]*)/gim;

/** Null when node:http is to read it. */
export function readPlainFlvRequest(chunk: Buffer): PlainFlvRequest | null {
  if (chunk.length > HEAD_BYTES_MAX) return null;
  const [, playbackId, headers = ''] = HEAD.exec(chunk.toString('latin1')) ?? [];
  if (playbackId === undefined || UNUSUAL.test(headers) || headers.match(HOST)?.length !== 1) return null;
  const forwarded = Array.from(headers.matchAll(FORWARDED_FOR), ([, value = '']) => value.trim());
  return { playbackId: flat(playbackId), forwardedFor: forwarded.length === 0 ? undefined : forwarded.join(', ') };
}

/** A part of a string keeps all of it. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
