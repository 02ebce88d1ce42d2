/**
 * SRS 4 and later (https://ossrs.io/lts/en-us/docs/v6/doc/http-api), by its API: at the URL itself, or at port 1985 beside it.
 * Written after its documentation and tested with answers in that form; SRS itself is not run in this repository.
 */
import {
  askTargetJson,
  detectHls,
  type TargetAdapter,
  type TargetDescription,
  TargetUnreachableError,
  VIDEO_ONLY,
} from '../src/index.ts';

const API_PORT = '1985';
const HTTP_PORT = '8080';

type SrsStream = {
  readonly name?: string;
  readonly app?: string;
  readonly url?: string;
  readonly publish?: { readonly active?: boolean };
};

async function detect(url: URL): Promise<TargetDescription | null> {
  const found = (await versionAt(url)) ?? (await versionBeside(url));
  if (found === null) return null;
  const { api, version } = found;
  const answer = await askTargetJson(new URL('/api/v1/streams/?count=100', api));
  const streams = (Array.isArray(answer?.streams) ? answer.streams : []) as readonly SrsStream[];
  const onAir = streams.find(({ publish }) => publish?.active === true);
  if (onAir === undefined) {
    throw new TargetUnreachableError(
      `${api.origin} is SRS ${version}, but nobody publishes: /api/v1/streams/ lists ${streams.length} streams, none active`,
    );
  }
  const path = onAir.url ?? `/${onAir.app ?? 'live'}/${onAir.name ?? 'livestream'}`;
  const base = mediaBase(url, api);
  return {
    ...VIDEO_ONLY,
    kind: 'srs',
    url: url.origin,
    subject: path.slice(1),
    flvUrl: new URL(`${path}.flv`, base).href,
    hls: await detectHls(new URL(`${path}.m3u8`, base).href),
    version: `SRS ${version}`,
    sources: [
      { kind: 'srs', name: 'srs', where: api.origin },
      { kind: 'process', name: 'srs', where: `port=${base.port === '' ? 80 : base.port}` },
    ],
  };
}

type Found = { readonly api: URL; readonly version: string };

/** `/api/v1/versions` answers `{ code: 0, server, data: { major, minor, revision, version } }`. */
async function versionAt(api: URL): Promise<Found | null> {
  const answer = await askTargetJson(new URL('/api/v1/versions', api));
  const version = (answer?.data as { version?: unknown } | undefined)?.version;
  return answer?.code === 0 && typeof version === 'string' && 'server' in answer ? { api, version } : null;
}

async function versionBeside(url: URL): Promise<Found | null> {
  const api = new URL(url);
  api.port = API_PORT;
  if (api.port === url.port) return null;
  try {
    return await versionAt(api);
  } catch {
    return null; // nothing listens there
  }
}

/** Media are served beside the API: at the URL that was named, or, when that is the API's own port, at SRS's default. */
function mediaBase(url: URL, api: URL): URL {
  const base = new URL(url);
  if (base.port === api.port && base.port === API_PORT) base.port = HTTP_PORT;
  return base;
}

/** The adapter. */
export const target: TargetAdapter = { kind: 'srs', detect };
