import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { PORT_VARIABLES, type PortName } from './config.ts';

/** A port that cannot be listened on, and why. */
export type PortProblem = { readonly name: PortName; readonly port: number; readonly why: string };

/** Ports as configured. */
export type Ports = Readonly<Record<PortName, number>>;

const PORT_NAMES = Object.keys(PORT_VARIABLES) as PortName[];

/** Tries each port for a moment. The admin listeners are on loopback whatever `host` is. */
export async function findPortProblems(host: string, ports: Ports): Promise<readonly PortProblem[]> {
  const found = await Promise.all(
    PORT_NAMES.map(async (name): Promise<PortProblem | null> => {
      const port = ports[name];
      const twin = PORT_NAMES.find((other) => other !== name && ports[other] === port);
      if (twin !== undefined) return { name, port, why: `also set as ${twin}` };
      const code = await tryToListen(name.includes('_ADMIN_') ? '127.0.0.1' : host, port);
      return code === null ? null : { name, port, why: explain(code, port, host) };
    }),
  );
  return found.filter((problem) => problem !== null);
}

/** One message for all problems, with what to do. */
export function describePortProblems(problems: readonly PortProblem[]): string {
  const list = problems.map(({ name, port, why }) => `port ${port} (${name}) is ${why}`).join(', ');
  const examples = problems.map(
    ({ name, port }) => `${name}=${port + 10_000 > 65_535 ? port - 10_000 : port + 10_000}`,
  );
  return `${list}: stop what uses ${problems.length === 1 ? 'it' : 'them'}, or choose others, e.g. ${examples.join(' ')} npm start`;
}

function tryToListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

function explain(code: string, port: number, host: string): string {
  switch (code) {
    case 'EADDRINUSE': {
      const owner = findOwner(port);
      return owner === null ? 'in use' : `in use by ${owner}`;
    }
    case 'EACCES':
      return 'reserved for root';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `not to be had, because ${host} is not an address of this machine (HOST)`;
    default:
      return `not to be had (${code})`;
  }
}

const LISTENING = '0A';

/** Name and pid of the process that listens on `port`, when we may see it. */
function findOwner(port: number): string | null {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return null;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
        if (!inodes.has(readlinkSync(`/proc/${pid}/fd/${descriptor}`))) continue;
        return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`;
      }
    } catch {
      // another user's process, or one that has just ended
    }
  }
  return null;
}

/** `socket:[inode]` of the listeners on `port` in a table of proc(5). */
function listeningInodes(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  try {
    return readFileSync(table, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(wanted) === true && fields[3] === LISTENING)
      .map((fields) => `socket:[${fields[9]}]`);
  } catch {
    return []; // no IPv6
  }
}
