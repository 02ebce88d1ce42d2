/** Any server that answers a GET with an HTTP-FLV body or an HLS playlist: SRS, nginx-rtmp, node-media-server, MediaMTX … */
import {
  detectHls,
  type TargetAdapter,
  type TargetDescription,
  TargetUnreachableError,
  withoutQuery,
} from '../src/index.ts';

const DETECT_TIMEOUT_MS = 10_000;

/**
 * Takes every URL with a path: whether it is FLV is for the run to show; `.m3u8` must be a playlist. Throws when nothing answers
 * there. One URL is one way of watching: the stream of `/live/x.flv` is not looked for at `/live/x.m3u8`.
 */
async function detect(url: URL): Promise<TargetDescription | null> {
  if (url.pathname === '/') return null;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), DETECT_TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: stop.signal });
    if (response.status >= 400) {
      throw new TargetUnreachableError(`${withoutQuery(url.href)} answers ${response.status}: is the stream on air?`);
    }
  } catch (error) {
    if (error instanceof TargetUnreachableError) throw error;
    const cause = error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : '';
    throw new TargetUnreachableError(`${withoutQuery(url.href)} does not answer (${cause}): is it running?`);
  } finally {
    clearTimeout(timer);
    stop.abort(); // the body may be endless
  }
  const isHls = url.pathname.endsWith('.m3u8');
  const hls = isHls ? await detectHls(url.href) : null;
  if (isHls && hls === null)
    throw new TargetUnreachableError(`${withoutQuery(url.href)} is no HLS playlist that can be played`);
  return {
    kind: 'url',
    url: url.origin,
    planes: ['video'],
    subject: url.pathname,
    flvUrl: isHls ? null : url.href,
    hls,
    room: null,
    shop: null,
    version: null,
  };
}

/** The adapter. */
export const target: TargetAdapter = { kind: 'url', detect };
