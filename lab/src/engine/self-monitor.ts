/**
 * What only the whole process can tell of itself, once per second: memory, open files and sockets, outgoing ports, the wall clock,
 * and the main thread, which merges and writes. The worker threads watch themselves (`lag-probe.ts`).
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { monotonicMs } from '../clock.ts';
import { openFilesMax } from '../run-folder/fingerprint.ts';
import type { SelfSample } from './guard.ts';
import { LagProbe } from './lag-probe.ts';

const EVERY_MS = 1000;

/** Calls `onSample` every second until the returned function is called. */
export function watchSelf(onSample: (self: SelfSample) => void): () => void {
  const probe = new LagProbe();
  const filesMax = openFilesMax();
  const portsMax = ephemeralPorts();
  let leadMs = Date.now() - monotonicMs();
  const timer = setInterval(() => {
    const nowLeadMs = Date.now() - monotonicMs();
    const files = openFiles();
    onSample({
      ...probe.sample(),
      rssBytes: process.memoryUsage.rss(),
      clockStepMs: Math.abs(nowLeadMs - leadMs),
      ...(files === null || filesMax === null ? {} : { openFilesPercent: (100 * files) / filesMax }),
      ...(files === null || portsMax === null ? {} : { portsPercent: (100 * (files + lingeringPorts())) / portsMax }),
    });
    leadMs = nowLeadMs;
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    probe.stop();
  };
}

/** Open files and sockets of this process; null where the kernel does not tell. */
export function openFiles(): number | null {
  try {
    const { size } = statSync('/proc/self/fd'); // their number, from Linux 6.2
    return size > 0 ? size : readdirSync('/proc/self/fd').length;
  } catch {
    return null; // not Linux
  }
}

/** How many outgoing ports there are; null where the kernel does not tell. */
export function ephemeralPorts(): number | null {
  const [low = Number.NaN, high = Number.NaN] = readText('/proc/sys/net/ipv4/ip_local_port_range')
    .trim()
    .split(/\s+/)
    .map(Number);
  return Number.isFinite(high - low) ? high - low + 1 : null;
}

/**
 * Closed connections of this host whose ports rest. With the open files of the process they are an upper bound of the ports in
 * use: an open file may be none, and one port serves connections to different addresses.
 */
function lingeringPorts(): number {
  const [, resting] = /^TCP:.* tw (\d+)/m.exec(readText('/proc/net/sockstat')) ?? [];
  return Number(resting ?? 0);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // not Linux
  }
}
