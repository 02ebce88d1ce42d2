/**
 * What can be collected, as words: `--collect KIND[:NAME]=WHERE` of the command line, and the sources that a target's
 * adapter names. Texts of these come from users and may hold passwords: {@link describeSource} is what may be kept.
 */
import type { ProcessQuery } from './process-collector.ts';

/** Kinds, with what stands after the `=`. */
export const SOURCE_KINDS = {
  process: 'pid=1234, port=8080 (who listens there) or a part of the command line',
  container: 'its cgroup v2 folder, e.g. /sys/fs/cgroup/system.slice/docker-….scope',
  docker: 'names of containers, comma-separated; empty: all that run',
  'nginx-log': 'path of an access log with rt= uct= uht= urt=',
  'nginx-status': 'URL of stub_status',
  srs: 'URL of the API, e.g. http://127.0.0.1:1985',
  'srs-log': 'path of its log',
  prometheus: 'URL of the metrics; without a path: /metrics',
  health: 'URL that answers 200 when the platform is ready',
  redis: 'redis://[user]:password@host:port',
  postgres: 'postgres://user:password@host/database',
} as const;

/** One of {@link SOURCE_KINDS}. */
export type SourceKind = keyof typeof SOURCE_KINDS;

/** One source. `name` is what its lines carry as `source`. `where`: see {@link SOURCE_KINDS}; may hold a secret. */
export type Source = { readonly kind: SourceKind; readonly name: string; readonly where: string };

/**
 * Sources that an adapter knows of a target, by their default addresses: plain data for the manifest, no secrets. One that
 * does not answer before the run is left out; those that a user names are kept, and missed.
 */
export type TargetSource = Source;

/** It cannot be understood; the message says what can be. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

const URL_KINDS: Partial<Record<SourceKind, RegExp>> = {
  'nginx-status': /^https?:$/,
  srs: /^https?:$/,
  prometheus: /^https?:$/,
  health: /^https?:$/,
  redis: /^rediss?:$/,
  postgres: /^postgres(ql)?:$/,
};

/** Reads `KIND[:NAME]=WHERE`. Throws {@link SourceError}, which never repeats what stands after the `=`. */
export function parseSource(text: string): Source {
  const [, kind = '', name, where = ''] = /^([a-z-]+)(?::([\w.-]+))?=(.*)$/s.exec(text) ?? [];
  if (!isSourceKind(kind)) {
    throw new SourceError(`what to collect is one of ${Object.keys(SOURCE_KINDS).join(', ')}, e.g. redis=redis://…`);
  }
  const scheme = URL_KINDS[kind];
  const isRight =
    scheme === undefined ? kind === 'docker' || where !== '' : scheme.test(URL.parse(where)?.protocol ?? '');
  if (!isRight) throw new SourceError(`${kind}= must be followed by ${SOURCE_KINDS[kind]}`);
  if (scheme !== undefined && !hasReadableLogin(where)) {
    throw new SourceError(`${kind}=: user and password must be percent-encoded (% is %25)`);
  }
  return { kind, name: name ?? nameOf(kind, where), where };
}

/** The same source without anything secret: no credentials, no query. */
export function describeSource({ kind, name, where }: Source): Source {
  const url = URL_KINDS[kind] === undefined ? null : URL.parse(where);
  if (url === null) return { kind, name, where };
  return { kind, name, where: `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}` };
}

/** What `process=…` says. */
export function processQuery(where: string): ProcessQuery {
  const [, key, digits] = /^(pid|port)=(\d+)$/.exec(where) ?? [];
  if (key === 'pid') return { pid: Number(digits) };
  if (key === 'port') return { port: Number(digits) };
  const [, command = where, port] = /^(.*) beside port=(\d+)$/.exec(where) ?? [];
  return port === undefined ? { command } : { command, besidePort: Number(port) };
}

function hasReadableLogin(where: string): boolean {
  const url = URL.parse(where);
  try {
    decodeURIComponent(`${url?.username}${url?.password}`);
    return true;
  } catch {
    return false;
  }
}

function isSourceKind(text: string): text is SourceKind {
  return Object.hasOwn(SOURCE_KINDS, text);
}

/** A URL goes by its host and port, a file by its last part. */
function nameOf(kind: SourceKind, where: string): string {
  if (URL_KINDS[kind] !== undefined) return URL.parse(where)?.host || kind;
  const last = where.split('/').findLast((part) => part !== '');
  return kind === 'docker' ? kind : (last ?? kind);
}
