import { randomUUID } from 'node:crypto';
import { ROOM_TOKEN } from '@showfloor/protocol';
import { createTokenSigner, loadSecrets } from '@showfloor/service-kit';
import { WebSocket } from 'ws';

export type ChatLoad = {
  readonly url: string;
  /** Where the server under test keeps its keys: tokens are signed with them. */
  readonly dataDir: string;
  readonly clients: number;
  readonly messagesPerSecond: number;
  readonly seconds: number;
  /** Called as the first message is about to go out and when the last has. */
  readonly onFlow?: (moment: 'before' | 'after') => void;
};

export type ChatLoadResult = {
  readonly sent: number;
  readonly refused: number;
  /** Messages that should have reached the sampled clients and did not. */
  readonly missing: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly framesPerSecond: number;
};

const LIVE_ID = 'load';
const EVENT_START = '42/chat,["chat:messages"';
const SENT_AT = /"message":"t(\d+)"/g;
const SAMPLED_MAX = 100;
const CONNECTING_MAX = 100;
/** Well under the promise to users, so that a refusal is a finding. */
const MESSAGES_PER_WRITER_SECOND = 1;
const DRAIN_MS = 1_500;

type Client = { readonly socket: WebSocket; onEvent: (text: string) => void };

/**
 * Puts `clients` light WebSockets into one room and writes an even stream of messages from many users. Latency is from
 * calling send to parsing the frame, seen by up to 100 of the clients; the others read and count.
 */
export async function runChatLoad(load: ChatLoad): Promise<ChatLoadResult> {
  const sign = await createTokenSigner(loadSecrets(load.dataDir).tokenPrivateKeyPem);
  const writerCount = Math.min(load.clients, Math.ceil(load.messagesPerSecond / MESSAGES_PER_WRITER_SECOND));
  const clients: Client[] = [];
  let frames = 0;
  for (let start = 0; start < load.clients; start += CONNECTING_MAX) {
    const batch = Array.from({ length: Math.min(CONNECTING_MAX, load.clients - start) }, async (_, offset) => {
      const isWriter = start + offset < writerCount;
      const claims = { sub: randomUUID(), name: `user ${start + offset}`, role: 'buyer' };
      return connect(load.url, isWriter ? { token: await sign(ROOM_TOKEN, claims, 900) } : {}, () => {
        frames += 1;
      });
    });
    clients.push(...(await Promise.all(batch)));
  }
  const latenciesMs: number[] = [];
  const sampled = clients.filter((_, index) => index % Math.ceil(load.clients / SAMPLED_MAX) === 0);
  for (const client of sampled) {
    client.onEvent = (text) => {
      const nowMs = performance.now();
      for (const match of text.matchAll(SENT_AT)) latenciesMs.push(nowMs - Number(match[1]) / 1000);
    };
  }
  const framesBefore = frames;
  load.onFlow?.('before');
  const { sent, refused } = await write(clients.slice(0, writerCount), load);
  load.onFlow?.('after');
  const framesPerSecond = (frames - framesBefore) / load.seconds;
  await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
  for (const client of clients) client.socket.terminate();
  latenciesMs.sort((a, b) => a - b);
  const percentile = (share: number): number =>
    latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? Number.NaN;
  return {
    sent,
    refused: refused(),
    missing: (sent - refused()) * sampled.length - latenciesMs.length,
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    p99Ms: percentile(0.99),
    framesPerSecond,
  };
}

async function write(writers: readonly Client[], load: ChatLoad): Promise<{ sent: number; refused: () => number }> {
  let refused = 0;
  for (const { socket } of writers) {
    socket.on('message', (data: Buffer) => {
      if (data.subarray(0, 60).toString('latin1').startsWith('43/chat,') && data.includes('"ok":false')) refused += 1;
    });
  }
  const total = load.messagesPerSecond * load.seconds;
  const startMs = performance.now();
  let sent = 0;
  while (sent < total) {
    const dueByNow = Math.min(total, Math.floor(((performance.now() - startMs) * load.messagesPerSecond) / 1000) + 1);
    for (; sent < dueByNow; sent += 1) {
      const message = `t${Math.round(performance.now() * 1000)}`;
      const payload = { liveId: LIVE_ID, message, clientId: `load-${sent}-id` };
      writers[sent % writers.length]?.socket.send(`42/chat,${sent}${JSON.stringify(['chat:send', payload])}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { sent, refused: () => refused };
}

/** Connects, joins `/chat` and the room, and resolves once both are answered. */
async function connect(url: string, auth: object, onFrame: () => void): Promise<Client> {
  const address = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(address, { perMessageDeflate: false, skipUTF8Validation: true });
  const client: Client = { socket, onEvent: () => undefined };
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
    socket.on('message', (data: Buffer) => {
      const start = data.subarray(0, EVENT_START.length).toString('latin1');
      if (start === EVENT_START) {
        onFrame();
        client.onEvent(data.toString('latin1'));
      } else if (start.startsWith('0{')) socket.send(`40/chat,${JSON.stringify(auth)}`);
      else if (start.startsWith('40/chat,')) socket.send(`42/chat,0["chat:join",{"liveId":"${LIVE_ID}"}]`);
      else if (start.startsWith('43/chat,0[')) resolve(client);
      else if (start === '2') socket.send('3');
    });
  });
}
