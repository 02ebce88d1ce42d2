/** From configuration files and answers of servers to settings that a reference names. Pure. */
import { type Directive, findDirectives, parseBlockConfig } from './block-config.ts';

/** Settings by name, e.g. `nginx.worker_connections`. What could not be read is absent. */
export type Settings = Readonly<Record<string, string | number>>;

/** `nginx.conf`. A limit is named after its zone: `nginx.limit_req.api` is `30r/s`. Throws ConfigSyntaxError. */
export function nginxSettings(text: string): Settings {
  const tree = parseBlockConfig(text);
  const settings: Record<string, string | number> = {};
  put(settings, 'nginx.worker_connections', firstArg(tree, 'worker_connections'));
  put(settings, 'nginx.worker_processes', firstArg(tree, 'worker_processes'));
  put(settings, 'nginx.worker_rlimit_nofile', firstArg(tree, 'worker_rlimit_nofile'));
  for (const { args } of findDirectives(tree, 'limit_req_zone')) {
    const zone = /^zone=([^:]+)/.exec(args.find((arg) => arg.startsWith('zone=')) ?? '')?.[1];
    const rate = args.find((arg) => arg.startsWith('rate='))?.slice('rate='.length);
    if (zone === undefined || rate === undefined) continue;
    settings[`nginx.limit_req.${zone.replace(/[_-]?(limit|zone)$/, '')}`] = rate;
  }
  return settings;
}

/** `srs.conf`. Without `threads_interval`-like words SRS 6 has no count of threads: `srs_threads`, `threads`. */
export function srsSettings(text: string): Settings {
  const tree = parseBlockConfig(text);
  const settings: Record<string, string | number> = {};
  put(settings, 'srs.max_connections', firstArg(tree, 'max_connections'));
  put(settings, 'srs.threads', firstArg(tree, 'threads') ?? firstArg(tree, 'srs_threads') ?? firstArg(tree, 'workers'));
  put(settings, 'srs.gop_cache', firstArg(tree, 'gop_cache'));
  put(settings, 'srs.gop_cache_max_frames', firstArg(tree, 'gop_cache_max_frames'));
  put(settings, 'srs.hls_fragment', firstArg(tree, 'hls_fragment'));
  put(settings, 'srs.hls_window', firstArg(tree, 'hls_window'));
  put(settings, 'srs.mw_latency', firstArg(tree, 'mw_latency'));
  put(settings, 'srs.tcp_nodelay', firstArg(tree, 'tcp_nodelay'));
  return settings;
}

/** What `INFO` of a Redis says; unlike `CONFIG GET` it is allowed nearly everywhere. */
export function redisSettings(info: string): Settings {
  const value = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const settings: Record<string, string | number> = {};
  put(settings, 'redis.version', value('redis_version'));
  const bytes = Number(value('maxmemory'));
  if (Number.isFinite(bytes)) settings['redis.maxmemory_mb'] = bytes / 1024 / 1024;
  put(settings, 'redis.maxmemory_policy', value('maxmemory_policy'));
  return settings;
}

function firstArg(tree: readonly Directive[], name: string): string | undefined {
  return findDirectives(tree, name)[0]?.args[0];
}

/** Numbers are kept as numbers, so that `5000` and `5000.0` are the same. */
function put(settings: Record<string, string | number>, name: string, value: string | undefined): void {
  if (value === undefined || value === '') return;
  settings[name] = /^\d+(\.\d+)?$/.test(value) && !name.endsWith('.version') ? Number(value) : value;
}
