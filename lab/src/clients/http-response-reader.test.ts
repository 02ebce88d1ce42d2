import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HTTP_HEAD_BYTES_MAX, HttpFormatError, HttpResponseReader } from './http-response-reader.ts';

/** Reads `text` in pieces of these sizes (the last one repeats) and returns what came out. */
function read(text: string, sizes: readonly number[] = [1e9]) {
  const out = { status: 0, body: '', isEnded: false };
  const reader = new HttpResponseReader({
    onHead: ({ status }) => {
      out.status = status;
    },
    onBody: (bytes) => {
      out.body += Buffer.from(bytes).toString('latin1');
    },
    onEnd: () => {
      out.isEnded = true;
    },
  });
  const bytes = Buffer.from(text, 'latin1');
  for (let offset = 0, index = 0; offset < bytes.length; index += 1) {
    const size = Math.max(1, sizes[Math.min(index, sizes.length - 1)] ?? 1);
    reader.push(bytes.subarray(offset, offset + size));
    offset += size;
  }
  return out;
}

const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n';

describe('responses', () => {
  test.each([
    ['chunked', CHUNKED, { status: 200, body: 'hello world', isEnded: true }],
    ['counted', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', { status: 200, body: 'abc', isEnded: true }],
    ['until close', 'HTTP/1.1 200 OK\r\n\r\nendless', { status: 200, body: 'endless', isEnded: false }],
    ['empty', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '', isEnded: true }],
    ['after a 100', `HTTP/1.1 100 Continue\r\n\r\n${CHUNKED}`, { status: 200, body: 'hello world', isEnded: true }],
  ])('%s, in any cut', (_name, text, expected) => {
    expect(read(text)).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }), (sizes) => {
        expect(read(text, sizes)).toEqual(expected);
      }),
    );
  });

  test.each([
    ['not HTTP', 'FLV\u0001 this is not a response\r\n\r\n', 'http.status_line'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(HTTP_HEAD_BYTES_MAX)}`, 'http.head_too_long'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx', 'http.content_length'],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'http.chunk_size'],
  ])('%s is refused', (_name, text, code) => {
    expect(() => read(text)).toThrow(new HttpFormatError(code));
  });

  test('one after the other on one connection', () => {
    const bodies: string[] = [];
    const reader = new HttpResponseReader({
      onHead: () => {},
      onBody: (bytes) => bodies.push(Buffer.from(bytes).toString('latin1')),
      onEnd: () => reader.reset(),
    });
    const bytes = Buffer.from(`${CHUNKED}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc`, 'latin1');
    reader.push(bytes);
    for (const byte of bytes) reader.push(Uint8Array.of(byte));
    expect(bodies.join('')).toBe('hello worldabc'.repeat(2));
  });
});
