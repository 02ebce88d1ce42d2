import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { ChatJoined, ChatMessage, ChatSent } from '@showfloor/protocol';
import type { Socket } from 'socket.io-client';
import type { RealtimeOptions } from '../src/index.ts';
import { ask, type ClientOptions, message, next, type Rig, startRig, temporaryFolder } from './plane-rig.ts';
import type { RedisUnderTest } from './redis-server.ts';

export const HEARTBEAT_MS = 200;

/** A folder for a node of the same installation as `dataDir`: the same keys, its own state. */
export function siblingFolder(dataDir: string): string {
  const folder = temporaryFolder();
  cpSync(join(dataDir, 'keys'), join(folder, 'keys'), { recursive: true });
  return folder;
}

/** `count` nodes over one Redis. */
export async function startNodes(redis: RedisUnderTest, count: number): Promise<Rig[]> {
  const first = await startNode(redis);
  const others = Array.from({ length: count - 1 }, () => startNode(redis, { dataDir: siblingFolder(first.dataDir) }));
  return [first, ...(await Promise.all(others))];
}

export function startNode(redis: RedisUnderTest, options: Partial<RealtimeOptions> = {}): Promise<Rig> {
  return startRig({ redis: { url: redis.url, heartbeatMs: HEARTBEAT_MS }, ...options });
}

export type Batch = { readonly epoch: string; readonly messages: readonly ChatMessage[] };

/** Somebody in a room of one node, and all they hear. */
export class Chatter {
  readonly socket: Socket;
  readonly liveId: string;
  readonly batches: Batch[] = [];
  joined: ChatJoined = { cursor: { epoch: '', seq: 0 }, messages: [], gap: false };
  slowestAckMs = 0;

  private constructor(socket: Socket, liveId: string) {
    this.socket = socket;
    this.liveId = liveId;
    socket.on('chat:messages', (batch: Batch) => this.batches.push(batch));
  }

  static async enter(
    node: Pick<Rig, 'client' | 'roomToken'>,
    liveId = 'demo',
    user: { sub?: string } = {},
  ): Promise<Chatter> {
    const options: ClientOptions = { auth: { token: await node.roomToken(user) } };
    const chatter = new Chatter(node.client('/chat', options), liveId);
    await next(chatter.socket, 'connect');
    await chatter.join();
    return chatter;
  }

  async join(since?: ChatJoined['cursor']): Promise<ChatJoined> {
    const payload = { liveId: this.liveId, ...(since === undefined ? {} : { since }) };
    this.joined = await ask<ChatJoined>(this.socket, 'chat:join', payload);
    return this.joined;
  }

  /** Sends and returns the answer; the slowest is remembered. */
  async say(text: string, clientId?: string): Promise<ChatSent & { ok: boolean }> {
    const startMs = performance.now();
    const payload = { ...message(this.liveId, text), ...(clientId === undefined ? {} : { clientId }) };
    const answer = await ask<ChatSent>(this.socket, 'chat:send', payload);
    this.slowestAckMs = Math.max(this.slowestAckMs, performance.now() - startMs);
    return answer;
  }

  /** History, then what was heard live, in that order. */
  get heard(): ChatMessage[] {
    return [...this.joined.messages, ...this.batches.flatMap(({ messages }) => messages)];
  }

  get texts(): string[] {
    return this.heard.map((entry) => entry.message);
  }
}

/** The longest time the loop of this process (which runs the nodes too) did not turn, in ms, until `stop` is called. */
export function watchLoop(): { readonly stop: () => number } {
  let lastMs = performance.now();
  let longestMs = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  }, 10);
  return {
    stop: () => {
      clearInterval(timer);
      return longestMs;
    },
  };
}
