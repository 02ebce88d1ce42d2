import { createHash } from 'node:crypto';

/** A Lua script of ours. `name` is its label in the metrics. */
export type RedisScript = { readonly name: string; readonly source: string; readonly sha: string };

export function redisScript(name: string, source: string): RedisScript {
  return { name, source, sha: createHash('sha1').update(source).digest('hex') };
}
