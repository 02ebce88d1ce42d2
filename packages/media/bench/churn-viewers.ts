/** Viewers that join, watch and leave without a word, in this process: what they see is not measured, so Node is fast enough. */
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export type ChurnWave = Readonly<{ port: number; flvPath: string; listPath: string; viewers: number; watchMs: number }>;

/** Joins per second: a wave should not be one burst. */
const JOINS_PER_SECOND = 400;

/** FLV viewers, and half as many by LL-HLS. Resolves with the bytes that they read once all have left; 0 is nobody's fault but ours. */
export async function churn({ port, flvPath, listPath, viewers, watchMs }: ChurnWave): Promise<number> {
  const watching: Promise<number>[] = [];
  for (let index = 0; index < viewers; index += 1) {
    watching.push(watchFlv(port, flvPath, watchMs));
    if (index % 2 === 0) watching.push(watchLowLatency(port, listPath, watchMs));
    if (index % 20 === 19) await sleep(20_000 / JOINS_PER_SECOND);
  }
  return (await Promise.all(watching)).reduce((sum, bytes) => sum + bytes, 0);
}

async function watchFlv(port: number, path: string, watchMs: number): Promise<number> {
  const socket = connect({ host: '127.0.0.1', port });
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await sleep(watchMs);
  socket.destroy();
  return bytes;
}

/** Asks for the list with the next part and for that part, both of which wait, and leaves while something does. */
async function watchLowLatency(port: number, listPath: string, watchMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const leaving = setTimeout(() => agent.destroy(), watchMs);
  let bytes = 0;
  let query = '';
  try {
    for (;;) {
      const list = await read(port, `${listPath}${query}`, agent);
      const [, name, msn, part] = /PRELOAD-HINT:TYPE=PART,URI="([^"]*-(\d+)\.(\d+)\.m4s)"/.exec(list) ?? [];
      if (name === undefined) break;
      query = `?_HLS_msn=${msn}&_HLS_part=${part}`;
      bytes += list.length + (await read(port, new URL(name, `http://localhost${listPath}`).pathname, agent)).length;
    }
  } catch {
    // it has left
  }
  clearTimeout(leaving);
  agent.destroy();
  return bytes;
}

function read(port: number, path: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent }, (response) => {
      response.setEncoding('latin1');
      text(response).then(resolve, reject);
    });
    request.on('error', reject);
  });
}
