import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, networkInterfaces, platform, release, totalmem } from 'node:os';
import type { Fingerprint } from './manifest.ts';

/** This host as it is now. */
export function takeFingerprint(): Fingerprint {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return {
    lab: version,
    node: process.version,
    platform: platform(),
    kernel: release(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    loadAverage: loadavg()[0] ?? 0,
    openFilesMax: openFilesMax(),
  };
}

/** Whether this URL's host is this machine. A name that does not resolve is not. */
export async function isThisHost(url: string): Promise<boolean> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const own = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  );
  try {
    const addresses = await lookup(host, { all: true });
    return addresses.some(({ address }) => address.startsWith('127.') || own.includes(address));
  } catch {
    return false; // unresolvable: the run itself will say so
  }
}

/** Soft limit of open files; null where the kernel does not tell. */
export function openFilesMax(): number | null {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line === null ? null : Number(line[1]);
  } catch {
    return null; // not Linux
  }
}
