/**
 * Chat fan-out to one room over loopback, each server in a process of its own and the clients in this one. Isolates the way
 * from a user's send to everyone's frame: journal, batching and prebuilt frames against a bare Socket.IO server that emits
 * message by message. CPU is the server process's share of one core while messages flow.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ChatLoadResult, runChatLoad } from './chat-load.ts';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '10' },
    'no-peer': { type: 'boolean', default: false },
    redis: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(
    'npm run bench -- chat-fan-out [--clients 1000] [--rate 20 (messages/s)] [--seconds 10] [--no-peer] [--redis redis://…]',
  );
  process.exit(0);
}
const load = {
  clients: Number(values.clients),
  messagesPerSecond: Number(values.rate),
  seconds: Number(values.seconds),
};
const CLOCK_TICKS_PER_SECOND = 100; // USER_HZ on Linux
const SERVERS: Readonly<Record<string, { readonly script: string; readonly args: readonly string[] }>> = {
  showfloor: { script: '../test/serve-alone.ts', args: [] },
  ...(values.redis === ''
    ? {}
    : { 'showfloor over Redis': { script: '../test/serve-alone.ts', args: ['0', values.redis] } }),
  ...(values['no-peer'] ? {} : { 'socket.io': { script: './peer-socket-io.ts', args: [] } }),
};

type Row = ChatLoadResult & { readonly cpuPercent: number; readonly rssMb: number };

async function measure({ script, args }: { script: string; args: readonly string[] }): Promise<Row> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-fan-out-'));
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [path, dataDir, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const cpu = { before: 0, after: 0 };
    const result = await runChatLoad({
      ...load,
      url: `http://127.0.0.1:${Number(line.toString())}`,
      dataDir,
      onFlow: (moment) => {
        cpu[moment] = cpuSeconds(child);
      },
    });
    const cpuPercent = ((cpu.after - cpu.before) / load.seconds) * 100;
    return { ...result, cpuPercent, rssMb: residentMb(child) };
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function cpuSeconds(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function residentMb(child: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
}

console.log(
  `${load.clients} clients, ${load.messagesPerSecond} msg/s, ${load.seconds} s; ${availableParallelism()} cores`,
);
const rows: Record<string, Row> = {};
for (const [name, server] of Object.entries(SERVERS)) rows[name] = await measure(server);
const round = (value: number): number => Math.round(value * 10) / 10;
console.table(
  Object.fromEntries(
    Object.entries(rows).map(([name, row]) => [
      name,
      {
        'p50 ms': round(row.p50Ms),
        'p95 ms': round(row.p95Ms),
        'p99 ms': round(row.p99Ms),
        'CPU % of a core': round(row.cpuPercent),
        'frames/s': Math.round(row.framesPerSecond),
        'RSS MB': round(row.rssMb),
        refused: row.refused,
        missing: row.missing,
      },
    ]),
  ),
);
const [ours, peer] = [rows.showfloor, rows['socket.io']];
if (ours !== undefined && peer !== undefined) {
  console.log(`CPU against Socket.IO: ${(ours.cpuPercent / peer.cpuPercent).toFixed(2)} x`);
}
