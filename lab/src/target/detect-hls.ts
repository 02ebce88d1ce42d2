import { boundedText } from '../collectors/http-get.ts';
import { firstVariantUri, readHlsList } from '../player/hls-list.ts';
import type { TargetDescription } from './target.ts';

const TIMEOUT_MS = 5000;

/** Asks for a playlist, and for its first variant, to see how it can be watched. Null when there is none, or it cannot be read. */
export async function detectHls(url: string): Promise<TargetDescription['hls']> {
  const master = await getText(url);
  if (master === null) return null;
  const variant = firstVariantUri(master.text);
  const media = variant === null ? master : await getText(new URL(variant, master.url).href);
  if (media === null) return null;
  const { canBlockReload, partTargetMs } = readHlsList(media.text);
  return { url, isLowLatency: canBlockReload && partTargetMs !== null };
}

async function getText(url: string): Promise<{ url: string; text: string } | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = response.ok ? await boundedText(response) : '';
    return text.startsWith('#EXTM3U') ? { url: response.url, text } : null;
  } catch {
    return null;
  }
}
