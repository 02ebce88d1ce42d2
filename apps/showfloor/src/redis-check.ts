import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const PATIENCE_MS = 2_000;
const DEFAULT_PORT = 6_379;
/** A greeting is shorter; a peer that says more is no Redis. */
const ANSWER_CHARS_MAX = 1_000;

/**
 * What keeps the Redis at `url` (`redis://` or `rediss://`) from answering a PING, in words; null: nothing. The password is never
 * repeated.
 */
export function redisProblem(url: string): Promise<string | null> {
  const { protocol, hostname, port, username, password } = new URL(url);
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || DEFAULT_PORT) };
  const where = `${hostname}:${address.port}`;
  return new Promise((resolve) => {
    const socket: Socket = protocol === 'rediss:' ? connectTls({ ...address, servername: hostname }) : connect(address);
    const timer = setTimeout(() => end(`${where} does not answer in ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
    let answer = '';
    function end(problem: string | null): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(problem);
    }
    socket.on('error', (error) => end(`${where}: ${(error as NodeJS.ErrnoException).code ?? error.message}`));
    socket.on('close', () => end(`${where} hangs up`));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      const refusal = /^-(.*)\r\n/m.exec(answer);
      if (refusal !== null) end(`${where} says ${refusal[1]}`);
      else if (answer.endsWith('+PONG\r\n')) end(null);
      else if (answer.length > ANSWER_CHARS_MAX) end(`${where} is no Redis`);
    });
    if (password !== '') socket.write(command('AUTH', ...(username === '' ? [] : [username]), password));
    socket.write(command('PING'));
  });
}

/** RESP: an array of bulk strings. */
function command(name: string, ...args: string[]): string {
  const parts = [name, ...args.map(decodeURIComponent)];
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}
