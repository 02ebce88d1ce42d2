/**
 * node-media-server 4 (https://github.com/illuspas/Node-Media-Server), HTTP-FLV only. It lists its streams only to those who signed in, so the
 * usual names are tried; any other is named as a full URL.
 */
import {
  askTarget,
  askTargetJson,
  type TargetAdapter,
  type TargetDescription,
  TargetUnreachableError,
  VIDEO_ONLY,
} from '../src/index.ts';

const APP = 'live';
const STREAM_NAMES = ['test', 'stream', 'livestream', 'demo', 'bench'] as const;
/** A stream that nobody publishes is answered too, and stays silent: a picture or sound must come within this. */
const MEDIA_WITHIN_MS = 2500;
const FLV_HEADER_BYTES = 13;

async function detect(url: URL): Promise<TargetDescription | null> {
  const version = await versionOf(url);
  if (version === null) return null;
  const paths = STREAM_NAMES.map((name) => `/${APP}/${name}.flv`);
  const found = await Promise.all(paths.map(async (path) => ((await hasMedia(new URL(path, url))) ? path : null)));
  const path = found.find((one) => one !== null);
  if (path === undefined || path === null) {
    throw new TargetUnreachableError(
      `${url.origin} is node-media-server ${version}, but nothing is on air at ${paths.join(', ')}. ` +
        'It lists its streams only to those who signed in. Name yours: --target http://host:port/app/name.flv',
    );
  }
  return {
    ...VIDEO_ONLY,
    kind: 'node-media-server',
    url: url.origin,
    subject: path.slice(1, -'.flv'.length),
    flvUrl: new URL(path, url).href,
    hls: null, // version 4 serves none
    version: `node-media-server ${version}`,
    sources: [
      { kind: 'process', name: 'node-media-server', where: `port=${url.port === '' ? 80 : url.port}` },
      { kind: 'health', name: 'node-media-server', where: new URL('/api/v1/health', url).href },
    ],
  };
}

/** By its health page (on with `auth.jwt`) or its console (on unless switched off). Without both it is any server with an FLV URL. */
async function versionOf(url: URL): Promise<string | null> {
  const health = await askTargetJson(new URL('/api/v1/health', url));
  const version = (health?.data as { version?: unknown } | undefined)?.version;
  if (health?.message === 'Server is healthy' && typeof version === 'string') return version;
  const { status, text } = await askTarget(new URL('/admin/', url));
  return status === 200 && text.includes('<title>NMS Console</title>') ? '4' : null;
}

/** Whether more than a header comes. */
async function hasMedia(url: URL): Promise<boolean> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), MEDIA_WITHIN_MS);
  try {
    const response = await fetch(url, { signal: stop.signal });
    let bytes = 0;
    for await (const chunk of response.ok ? (response.body ?? []) : []) {
      bytes += chunk.length;
      if (bytes > FLV_HEADER_BYTES) return true;
    }
    return false;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** The adapter. */
export const target: TargetAdapter = { kind: 'node-media-server', detect };
