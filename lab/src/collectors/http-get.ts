/** GET for collectors: bounded, with the credentials of the URL in a header, as `fetch` refuses them in a URL. */
import { CollectError } from './collector.ts';

/** An answer longer than this is not read to its end: a gap. */
export const ANSWER_BYTES_MAX = 8_388_608;

/** What came back. */
export type GetAnswer = { readonly status: number; readonly text: string };

/** Throws {@link CollectError} when it is too long, and whatever `fetch` throws. */
export async function get(url: URL, signal: AbortSignal): Promise<GetAnswer> {
  const { plain, headers } = withoutCredentials(url);
  const response = await fetch(plain, { signal, headers });
  return { status: response.status, text: await boundedText(response) };
}

/** The body of an answer. Throws {@link CollectError} when it is longer than {@link ANSWER_BYTES_MAX}; the rest is not read. */
export async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw new CollectError(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** As {@link get}; throws {@link CollectError} unless the answer is 200. */
export async function getText(url: URL, signal: AbortSignal): Promise<string> {
  const { status, text } = await get(url, signal);
  if (status !== 200) throw new CollectError(`it answered ${status}`);
  return text;
}

function withoutCredentials(url: URL): { plain: URL; headers: Record<string, string> } {
  if (url.username === '' && url.password === '') return { plain: url, headers: {} };
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { plain, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}
