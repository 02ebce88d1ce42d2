import { orNull, type RedisLink } from './redis-link.ts';
import { redisScript } from './redis-script.ts';

/** When each node is taken for dead: a sorted set of node ids by the instant, in ms on Redis's clock. */
export const NODES_KEY = 'realtime:nodes';
/** A node that has not been heard of for this many heartbeats no longer counts. */
export const HEARTBEATS_MISSED_MAX = 3;

/**
 * `stream:{id}:viewers` is a sorted set: node to the viewers it has. (One member per viewer would have to be renewed one by one; a plain
 * counter would never lose those of a node that was killed.) Sets this node's own, drops the dead, and answers with all.
 * KEYS viewers, nodes · ARGV node, count, life in ms → {node, count, …}
 */
const SET_VIEWERS = redisScript(
  'viewers',
  `local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], nowMs + ARGV[3], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', nowMs)
if ARGV[2] == '0' then redis.call('ZREM', KEYS[1], ARGV[1]) else redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
local viewers = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local alive = {}
for index = 1, #viewers, 2 do
  if redis.call('ZSCORE', KEYS[2], viewers[index]) then
    alive[#alive + 1] = viewers[index]
    alive[#alive + 1] = viewers[index + 1]
  else
    redis.call('ZREM', KEYS[1], viewers[index])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return alive`,
);

export const VIEWER_SCRIPTS = [SET_VIEWERS];
/** Rooms whose counts are renewed together; the next wait for them. */
const RENEWED_AT_ONCE_MAX = 200;

export type SharedViewersOptions = {
  readonly link: RedisLink;
  readonly nodeId: string;
  readonly heartbeatMs: number;
  /** Viewers of this node in a room. */
  readonly own: (playbackId: string) => number;
  /** What other nodes have has changed, or is not known for certain any more. */
  readonly onChange: (playbackId: string) => void;
};

/** How many viewers the other nodes have in the rooms in which this one has any. */
export class SharedViewers {
  readonly #options: SharedViewersOptions;
  /** By room, then by node. Only of rooms that have been asked about, and in which this node has viewers. */
  readonly #others = new Map<string, Map<string, number>>();
  #isLeaving = false;

  constructor(options: SharedViewersOptions) {
    this.#options = options;
  }

  /** All viewers of a room, as last heard from the others. `isApproximate`: they cannot be heard now. */
  count(playbackId: string): { readonly count: number; readonly isApproximate: boolean } {
    let count = this.#options.own(playbackId);
    for (const others of this.#others.get(playbackId)?.values() ?? []) count += others;
    return { count, isApproximate: !this.#options.link.isJoined };
  }

  /** True once the others have been asked about the room. */
  knows(playbackId: string): boolean {
    return this.#others.has(playbackId);
  }

  /** Tells the count of this node and learns those of the others. Resolves within the patience for Redis. */
  async renew(playbackId: string): Promise<void> {
    if (this.#isLeaving) return;
    const { link, nodeId, heartbeatMs, own } = this.#options;
    const count = own(playbackId);
    const keys = [`stream:${playbackId}:viewers`, NODES_KEY];
    const args = [nodeId, count, heartbeatMs * HEARTBEATS_MISSED_MAX];
    const alive = await orNull(link.run(SET_VIEWERS, keys, args) as Promise<readonly string[]>);
    if (own(playbackId) === 0) this.#others.delete(playbackId);
    if (alive === null || own(playbackId) === 0) return;
    const others = new Map<string, number>();
    for (let index = 0; index + 1 < alive.length; index += 2) {
      const node = alive[index] ?? '';
      if (node !== nodeId) others.set(node, Number(alive[index + 1]));
    }
    const before = this.count(playbackId).count;
    this.#others.set(playbackId, others);
    if (this.count(playbackId).count !== before) this.#options.onChange(playbackId);
  }

  /** Another node said how many it has. */
  heard(playbackId: string, nodeId: string, count: number): void {
    const others = this.#others.get(playbackId);
    if (others === undefined || (others.get(nodeId) ?? 0) === count) return;
    if (count === 0) others.delete(nodeId);
    else others.set(nodeId, count);
    this.#options.onChange(playbackId);
  }

  /** Renews all `rooms`, some at once: the heartbeat. Stops when Redis is gone. */
  async renewAll(rooms: readonly string[]): Promise<void> {
    for (let start = 0; start < rooms.length && this.#options.link.isJoined; start += RENEWED_AT_ONCE_MAX) {
      await Promise.all(rooms.slice(start, start + RENEWED_AT_ONCE_MAX).map((room) => this.renew(room)));
    }
  }

  /** This node ends: its viewers come back to another one, where they must not count twice. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const { link, nodeId } = this.#options;
    if (link.isJoined) await orNull(link.command('leave', ['ZREM', NODES_KEY, nodeId]));
  }
}
