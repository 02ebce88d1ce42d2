import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { StartError } from '@showfloor/service-kit';
import type { StartConfig } from './config.ts';
import { measureTree } from './memory.ts';
import { describePortProblems, findPortProblems } from './port-check.ts';
import { findPostgresBinaries } from './postgres/binaries.ts';
import { checkDatabaseUrl } from './postgres/check-database-url.ts';
import { canUseNamespaces } from './postgres/identity.ts';
import { redisProblem } from './redis-check.ts';
import { readStateFile } from './state-file.ts';

/** One line of the report. `fail`: Showfloor does not start, or not correctly; `warn`: it does, with a limit. */
export type Finding = { readonly state: 'ok' | 'warn' | 'fail'; readonly what: string; readonly text: string };

const MEBIBYTE = 1024 * 1024;
const NODE_MAJOR_MIN = 24;
/** A viewer is a descriptor; so is a chatter. */
const OPEN_FILES_WARN = 20_000;
const OPEN_FILES_FAIL = 1_024;
const DISK_WARN_BYTES = 5_120 * MEBIBYTE;
const DISK_FAIL_BYTES = 300 * MEBIBYTE;
const CLOCK_WATCH_MS = 1_000;
const CLOCK_DRIFT_WARN_MS = 5;
const SOMAXCONN_MIN = 4_096; // the backlog our servers ask for
const NOTSENT_LOWAT_BYTES = 131_072;
const LOCAL_PORTS_MIN = 28_000;
const MEMORY_WARN_BYTES = 600 * MEBIBYTE;

/** Looks at this machine and changes nothing. */
export async function examine(config: StartConfig): Promise<readonly Finding[]> {
  return [
    checkNode(),
    await checkPorts(config),
    checkOpenFiles(),
    checkDisk(config.DATA_DIR),
    checkProgram('ffmpeg', 'transcodes and the ffmpeg tests need it: apt-get install ffmpeg'),
    await checkDatabase(config),
    await checkRedis(config.REDIS_URL),
    await checkClock(),
    checkTimeSync(),
    ...checkSysctls(),
    checkMemory(config.DATA_DIR),
  ];
}

/** The report as text. */
export function formatFindings(findings: readonly Finding[], colour: boolean): string {
  const hues = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
  const lines = findings.map(({ state, what, text }) => {
    const label = state.padEnd(4);
    const shown = colour ? styleText(hues[state], label, { validateStream: false }) : label;
    return `${shown}  ${what.padEnd(22)} ${text}`;
  });
  const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length;
  return [...lines, '', `${count('ok')} ok, ${count('warn')} warn, ${count('fail')} fail`].join('\n');
}

function checkNode(): Finding {
  const isNew = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN;
  const text = `Node ${process.versions.node}`;
  if (isNew) return { state: 'ok', what: 'Node', text };
  return { state: 'fail', what: 'Node', text: `${text}: run "npm run showfloor -- doctor", which brings Node 24` };
}

async function checkPorts(config: StartConfig): Promise<Finding> {
  const what = 'ports';
  const running = readStateFile(config.DATA_DIR);
  if (running !== null) return { state: 'ok', what, text: `in use by the running Showfloor (pid ${running.pid})` };
  const problems = await findPortProblems(config.HOST, config);
  if (problems.length === 0) return { state: 'ok', what, text: `all free on ${config.HOST}` };
  return { state: 'fail', what, text: describePortProblems(problems) };
}

function checkOpenFiles(): Finding {
  const what = 'open files';
  const [, soft = '0', hard = '0'] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(read('/proc/self/limits')) ?? [];
  // Node raises its own soft limit to the hard one at start.
  const limit = hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
  const text = `at most ${hard} per process (soft ${soft})`;
  if (limit >= OPEN_FILES_WARN) return { state: 'ok', what, text };
  const advice = `${text}: a viewer takes one; raise it with "ulimit -Hn 100000" or LimitNOFILE= in systemd`;
  return { state: limit < OPEN_FILES_FAIL ? 'fail' : 'warn', what, text: advice };
}

function checkDisk(dataDir: string): Finding {
  const what = 'disk';
  const folder = nearestExisting(dataDir);
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const text = `${formatBytes(freeBytes)} free at ${folder}`;
  if (freeBytes >= DISK_WARN_BYTES) return { state: 'ok', what, text };
  const advice = `${text}: recordings take about 1.2 GB an hour; free some or choose another DATA_DIR`;
  return { state: freeBytes < DISK_FAIL_BYTES ? 'fail' : 'warn', what, text: advice };
}

function checkProgram(name: string, advice: string): Finding {
  const result = spawnSync(name, ['-version'], { encoding: 'utf8' });
  if (result.status === 0) return { state: 'ok', what: name, text: result.stdout.split('\n')[0]?.slice(0, 60) ?? '' };
  return { state: 'warn', what: name, text: `not found: ${advice}` };
}

async function checkDatabase(config: StartConfig): Promise<Finding> {
  const what = 'database';
  try {
    if (config.DATABASE_URL !== '') {
      await checkDatabaseUrl(config.DATABASE_URL);
      return { state: 'ok', what, text: 'DATABASE_URL answers' };
    }
    const { postgres } = findPostgresBinaries();
    const version = execFileSync(postgres, ['--version'], { encoding: 'utf8' }).trim();
    return { ...checkIdentity(), what, text: `${version}, ${checkIdentity().text}` };
  } catch (error) {
    const text =
      error instanceof StartError ? error.message : `the embedded PostgreSQL does not run here: ${String(error)}`;
    return { state: 'fail', what, text };
  }
}

async function checkRedis(url: string): Promise<Finding> {
  const what = 'Redis';
  if (url === '') return { state: 'ok', what, text: 'not used: one realtime node (REDIS_URL joins several)' };
  const problem = await redisProblem(url);
  if (problem === null) return { state: 'ok', what, text: 'REDIS_URL answers' };
  return { state: 'warn', what, text: `${problem}: each realtime node serves its own until it is there` };
}

/** PostgreSQL refuses root: see postgres/identity.ts. */
function checkIdentity(): Finding {
  const what = 'database';
  const missing = ['setpriv', 'flock'].filter((name) => spawnSync(name, ['--version']).error !== undefined);
  if (missing.length > 0) return { state: 'fail', what, text: `${missing.join(' and ')} missing: install util-linux` };
  if (process.getuid?.() !== 0) return { state: 'ok', what, text: 'as this user' };
  if (canUseNamespaces()) return { state: 'ok', what, text: 'as root in a user namespace' };
  return {
    state: 'warn',
    what,
    text: 'user namespaces are refused, so it runs as an unprivileged user: keep DATA_DIR and this folder reachable for it, start as a normal user, or set DATABASE_URL',
  };
}

/** A wall clock that jumps or runs at another pace than the monotonic one moves cards away from their frames. */
async function checkClock(): Promise<Finding> {
  const what = 'clock';
  const offset = (): number => Date.now() - performance.now();
  const before = offset();
  await sleep(CLOCK_WATCH_MS);
  const driftMs = Math.abs(offset() - before);
  const text = `wall and monotonic clock differ by ${driftMs.toFixed(1)} ms in ${CLOCK_WATCH_MS / 1000} s`;
  if (driftMs <= CLOCK_DRIFT_WARN_MS) return { state: 'ok', what, text };
  return { state: 'warn', what, text: `${text}: something sets the clock; let NTP slew it` };
}

function checkTimeSync(): Finding {
  const what = 'time sync';
  const result = spawnSync('timedatectl', ['show', '--property=NTPSynchronized', '--value'], {
    encoding: 'utf8',
    timeout: 3_000,
  });
  if (result.status !== 0) return { state: 'ok', what, text: 'not known here (no timedatectl)' };
  if (result.stdout.trim() === 'yes') return { state: 'ok', what, text: 'synchronised by NTP' };
  return { state: 'warn', what, text: 'not synchronised: run "timedatectl set-ntp true", else delays are shown wrong' };
}

function checkSysctls(): Finding[] {
  const number = (name: string): number => Number(read(`/proc/sys/${name.replaceAll('.', '/')}`).split(/\s+/)[0] ?? 0);
  const [low = 0, high = 0] = read('/proc/sys/net/ipv4/ip_local_port_range').trim().split(/\s+/).map(Number);
  const backlog = number('net.core.somaxconn');
  const lowat = number('net.ipv4.tcp_notsent_lowat');
  return [
    sysctl(
      'net.core.somaxconn',
      String(backlog),
      backlog >= SOMAXCONN_MIN,
      `${SOMAXCONN_MIN}`,
      'viewers who arrive in the same second are turned away',
    ),
    sysctl(
      'net.ipv4.tcp_notsent_lowat',
      String(lowat),
      lowat > 0 && lowat <= NOTSENT_LOWAT_BYTES,
      `${NOTSENT_LOWAT_BYTES}`,
      'a viewer that stopped reading is noticed late (up to 4 MB hide in the kernel)',
    ),
    sysctl(
      'net.ipv4.ip_local_port_range',
      `${low} ${high}`,
      high - low >= LOCAL_PORTS_MIN,
      '"10240 65535"',
      'a load test from this machine runs out of ports',
    ),
  ];
}

function sysctl(what: string, value: string, isFine: boolean, wanted: string, harm: string): Finding {
  const shown = what.replace(/^net\.(ipv4|core)\./, '');
  if (isFine) return { state: 'ok', what: shown, text: value };
  return { state: 'warn', what: shown, text: `${value}: ${harm}; sysctl -w ${what}=${wanted}` };
}

function checkMemory(dataDir: string): Finding {
  const what = 'memory';
  const running = readStateFile(dataDir);
  if (running === null) return { state: 'ok', what, text: 'measured while Showfloor runs' };
  const processes = measureTree(running.pid);
  const total = processes.reduce((sum, { pssBytes }) => sum + pssBytes, 0);
  const named = processes.slice(0, 6).map(({ name, pssBytes }) => `${name} ${Math.round(pssBytes / MEBIBYTE)}`);
  const text = `${formatBytes(total)} in ${processes.length} processes (PSS, MB: ${named.join(', ')} …)`;
  return { state: total <= MEMORY_WARN_BYTES ? 'ok' : 'warn', what, text };
}

function nearestExisting(folder: string): string {
  return existsSync(folder) ? folder : nearestExisting(dirname(folder));
}

function formatBytes(bytes: number): string {
  return bytes >= 1024 * MEBIBYTE ? `${(bytes / 1024 / MEBIBYTE).toFixed(1)} GB` : `${Math.round(bytes / MEBIBYTE)} MB`;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
