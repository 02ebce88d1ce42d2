/** What adapters ask a server to find out what it is. */
import { TargetUnreachableError } from './target.ts';

/** An answer, whatever its status. */
export type TargetAnswer = { readonly status: number; readonly text: string };

const TIMEOUT_MS = 5000;
const TEXT_BYTES_MAX = 4 * 1024 * 1024;

/** Asks for a page of at most 4 MB; longer ones are cut. Throws TargetUnreachableError when nothing answers in 5 s. */
export async function askTarget(url: URL): Promise<TargetAnswer> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: stop.signal });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes >= TEXT_BYTES_MAX) break;
    }
    return { status: response.status, text: Buffer.concat(chunks).toString('utf8') };
  } catch (error) {
    const cause = error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : '';
    throw new TargetUnreachableError(
      `${url.origin} does not answer (asked for ${url.pathname}: ${cause}): is it running?`,
    );
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** The same, as JSON. Null when there is an answer, but no JSON object with status 200. */
export async function askTargetJson(url: URL): Promise<Readonly<Record<string, unknown>> | null> {
  const { status, text } = await askTarget(url);
  if (status !== 200) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null; // some other server's page
  }
}

/** Video and nothing else: what a plain media server is. */
export const VIDEO_ONLY = { planes: ['video'], room: null, shop: null } as const;
