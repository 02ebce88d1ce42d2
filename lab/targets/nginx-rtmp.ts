/**
 * nginx with its RTMP module (https://github.com/arut/nginx-rtmp-module, Debian's libnginx-mod-rtmp), by its page of statistics. The page
 * tells which streams are on air; where their playlists are served is up to the configuration, so the usual places are tried.
 */
import {
  askTarget,
  detectHls,
  type TargetAdapter,
  type TargetDescription,
  TargetUnreachableError,
  VIDEO_ONLY,
} from '../src/index.ts';

/** Where `rtmp_stat all;` is, in other people's configurations. */
const STAT_PATHS = ['/stat', '/stat.xml', '/rtmp_stat', '/rtmp-stat', '/nginx_stat'] as const;

/** Where `hls_path` is served; `hls_nested on;` puts each stream into a folder of its own. */
const playlistPaths = ({ app, name }: LiveStream): string[] => [
  `/hls/${name}.m3u8`,
  `/${app}/${name}.m3u8`,
  `/hls/${name}/index.m3u8`,
  `/${app}/${name}/index.m3u8`,
  `/hls/${app}/${name}.m3u8`,
  `/${name}.m3u8`,
];

/** A stream that somebody publishes. */
export type LiveStream = { readonly app: string; readonly name: string };

/** What the page of statistics says; null when it is some other page. */
export function readStat(xml: string): { readonly version: string; readonly streams: readonly LiveStream[] } | null {
  const version = /<nginx_rtmp_version>([^<]*)</.exec(xml)?.[1];
  if (version === undefined) return null;
  const streams = [...xml.matchAll(/<application>(.*?)<\/application>/gs)].flatMap(([, application = '']) => {
    const app = nameIn(application);
    return [...application.matchAll(/<stream>(.*?)<\/stream>/gs)]
      .map(([, stream = '']) => stream)
      .filter((stream) => /<publishing\s*\/>/.test(stream))
      .map((stream) => ({ app, name: nameIn(stream) }));
  });
  return { version, streams };
}

function nameIn(xml: string): string {
  return (/<name>([^<]*)<\/name>/.exec(xml)?.[1] ?? '').replaceAll('&amp;', '&');
}

async function detect(url: URL): Promise<TargetDescription | null> {
  for (const path of STAT_PATHS) {
    const { status, text } = await askTarget(new URL(path, url));
    const stat = status === 200 ? readStat(text) : null;
    if (stat !== null) return describe(url, path, stat.version, stat.streams);
  }
  return null;
}

async function describe(
  url: URL,
  statPath: string,
  version: string,
  streams: readonly LiveStream[],
): Promise<TargetDescription> {
  const [first] = streams;
  if (first === undefined) {
    throw new TargetUnreachableError(
      `${url.origin} is nginx-rtmp ${version}, but nobody publishes: ${statPath} lists no stream. Publish one, then run again`,
    );
  }
  for (const stream of streams) {
    for (const path of playlistPaths(stream)) {
      const hls = await detectHls(new URL(path, url).href);
      if (hls === null) continue;
      return {
        ...VIDEO_ONLY,
        kind: 'nginx-rtmp',
        url: url.origin,
        subject: `${stream.app}/${stream.name}`,
        flvUrl: null, // the module serves none
        hls,
        version: `nginx-rtmp ${version}`,
        sources: [
          { kind: 'process', name: 'nginx', where: `port=${url.port === '' ? 80 : url.port}` },
          { kind: 'nginx-status', name: 'nginx', where: new URL('/nginx_status', url).href },
        ],
      };
    }
  }
  throw new TargetUnreachableError(
    `${url.origin} is nginx-rtmp ${version} with ${first.app}/${first.name} on air, but no playlist at ${playlistPaths(first).join(', ')}. ` +
      'Is hls on, and hls_path served? Name the playlist itself: --target http://host/folder/name.m3u8',
  );
}

/** The adapter. */
export const target: TargetAdapter = { kind: 'nginx-rtmp', detect };
