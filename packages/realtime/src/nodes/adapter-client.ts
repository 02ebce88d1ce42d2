import { setTimeout as sleep } from 'node:timers/promises';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import type { RedisLink } from './redis-link.ts';

/** Names of the adapter's own stream and channels in Redis. */
const PREFIX = 'realtime:socket.io';
/** What a node that was away can still read of Socket.IO's own broadcasts. Ours are not among them. */
const STREAM_ENTRIES_MAX = 1_000;
const BLOCK_MS = 5_000;
/** Between two reads that brought nothing at once: an error must not become a busy loop. */
const READ_PAUSE_MS = 100;

/** How the adapter gives us its options for XADD. */
type AddOptions = { readonly TRIM: { readonly threshold: number } };
type RawEntry = readonly [id: string, fields: readonly string[]];

/**
 * Socket.IO's Redis Streams adapter on our link. The adapter expects a node-redis client that reconnects and queues: with a plain
 * one a dead Redis costs it unhandled rejections (PUBLISH, SUBSCRIBE, the first connect) and a read loop that never yields. So it
 * gets this client instead: what cannot be published is dropped and counted, reads and subscriptions wait for the link.
 */
export function redisAdapter(link: RedisLink): ReturnType<typeof createAdapter> {
  return createAdapter(adapterClient(link), {
    streamName: PREFIX,
    channelPrefix: PREFIX,
    maxLen: STREAM_ENTRIES_MAX,
    blockTimeInMs: BLOCK_MS,
  });
}

function adapterClient(link: RedisLink) {
  const client = {
    /** Its presence tells the adapter that it talks to node-redis. */
    sSubscribe: () => Promise.reject(new Error('sharded channels are not used')),
    duplicate: () => ({ ...client, ...duplicate }),
    publish: (channel: string, payload: Buffer): Promise<void> =>
      link.command('publish', ['PUBLISH', channel, payload]).then(
        () => undefined,
        () => undefined, // counted; who missed it catches up
      ),
    xAdd: (stream: string, id: string, entry: Readonly<Record<string, string>>, { TRIM }: AddOptions) =>
      link.command('publish', [
        'XADD',
        stream,
        'MAXLEN',
        '~',
        String(TRIM.threshold),
        id,
        ...Object.entries(entry).flat(),
      ]),
    sendCommand: (args: readonly string[]) => link.command('adapter', args),
  };
  const duplicate = {
    on: () => undefined,
    connect: () => Promise.resolve(),
    disconnect: () => undefined, // the link is closed by its owner
    subscribe: (channels: readonly string[], listener: (payload: Buffer) => void): Promise<void> => {
      for (const channel of channels) link.subscribe(channel, listener);
      return Promise.resolve();
    },
    xRead: async (
      streams: readonly { readonly key: string; readonly id: string }[],
      options: { readonly COUNT: number },
    ) => {
      const args = ['XREAD', 'COUNT', String(options.COUNT), 'BLOCK', String(BLOCK_MS), 'STREAMS'];
      const startMs = performance.now();
      const reply = await link.read(
        [...args, ...streams.map(({ key }) => key), ...streams.map(({ id }) => id)],
        BLOCK_MS,
      );
      if (reply === null && performance.now() - startMs < READ_PAUSE_MS) await sleep(READ_PAUSE_MS);
      return reply === null ? null : readStreams(reply);
    },
  };
  return client;
}

/** RESP 2 reply of XREAD as the adapter reads it. */
function readStreams(reply: unknown) {
  return (reply as readonly (readonly [string, readonly RawEntry[]])[]).map(([name, entries]) => ({
    name,
    messages: entries.map(([id, fields]) => ({ id, message: fieldsOf(fields) })),
  }));
}

/** Fields of a stream's entry, which Redis gives as a flat list. */
export function fieldsOf(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let index = 0; index + 1 < flat.length; index += 2) fields[flat[index] ?? ''] = flat[index + 1] ?? '';
  return fields;
}
