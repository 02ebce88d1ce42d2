import { failureOfStatus } from './http-failure.ts';
import type { PlaybackFailure } from './playback-policy.ts';
import { LIST_POLL_PERIOD_MS, LIST_POLL_TIMEOUT_MS, LIST_WAIT_MAX_MS } from './player-settings.ts';

export type ListWait = {
  /** The playlist, multivariant or media. */
  readonly url: string;
  /** `advancing`: its media list must differ from `seenText`, or change between two looks when that is null. */
  readonly until: 'present' | 'advancing';
  readonly seenText: string | null;
  readonly signal: AbortSignal;
};

/**
 * Looks at a live list until a player may have it: null. Otherwise why not: `absent` and `refused` as soon as the server says so,
 * `lost` when it does not answer, or nothing new comes, within LIST_WAIT_MAX_MS. Throws when `signal` aborts.
 */
export async function waitForList({ url, until, seenText, signal }: ListWait): Promise<PlaybackFailure | null> {
  const deadlineMs = performance.now() + LIST_WAIT_MAX_MS;
  let before = seenText;
  while (performance.now() < deadlineMs) {
    const look = await readMediaList(url, signal);
    if (look.failure !== 'lost') {
      if (look.failure !== null) return look.failure;
      if (until === 'present' || (before !== null && look.text !== before)) return null;
      before = look.text;
    }
    await pause(LIST_POLL_PERIOD_MS * (0.75 + Math.random() * 0.25), signal);
  }
  return 'lost';
}

type Look = { readonly failure: PlaybackFailure } | { readonly failure: null; readonly text: string };

async function readMediaList(url: string, signal: AbortSignal): Promise<Look> {
  const look = await read(url, signal);
  if (look.failure !== null) return look;
  const media = firstVariantUrl(look.text, url);
  return media === null ? look : read(media, signal);
}

async function read(url: string, signal: AbortSignal): Promise<Look> {
  const look = new AbortController();
  const abort = (): void => look.abort(signal.reason);
  const timer = setTimeout(() => look.abort(), LIST_POLL_TIMEOUT_MS);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const answer = await fetch(url, { cache: 'no-store', signal: look.signal });
    return answer.ok ? { failure: null, text: await answer.text() } : { failure: failureOfStatus(answer.status) };
  } catch {
    signal.throwIfAborted();
    return { failure: 'lost' };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** The first media playlist that a multivariant one names; null: `text` is a media playlist itself. */
export function firstVariantUrl(text: string, baseUrl: string): string | null {
  const lines = text.split(/\r?\n/);
  const at = lines.findIndex((line) => line.startsWith('#EXT-X-STREAM-INF'));
  if (at < 0) return null;
  const uri = lines.slice(at + 1).find((line) => line !== '' && !line.startsWith('#'));
  return uri === undefined ? null : new URL(uri, baseUrl).href;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}
