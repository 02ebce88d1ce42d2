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
    governor: firstLine('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
    sysctls: Object.fromEntries(
      SYSCTLS.flatMap((name) => {
        const value = firstLine(`/proc/sys/${name.replaceAll('.', '/')}`);
        return value === null ? [] : [[name, value.replaceAll(/\s+/g, ' ')]];
      }),
    ),
    containerCpus: containerCpus(firstLine('/sys/fs/cgroup/cpu.max')),
    containerMemoryBytes: numberOrNull(firstLine('/sys/fs/cgroup/memory.max')),
    commit: commitOf(new URL('../../../.git/', import.meta.url)),
  };
}

const SYSCTLS = [
  'net.core.somaxconn',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_congestion_control',
  'net.ipv4.tcp_notsent_lowat',
] as const;

/** What `parity` knows of this machine, by setting. A container's limits count where there are any. */
export function hostSettings(): Record<string, string | number> {
  const fingerprint = takeFingerprint();
  const { cores, memoryBytes, containerCpus: limitCpus, containerMemoryBytes: limitBytes } = fingerprint;
  const memoryMb = Math.round(Math.min(memoryBytes, limitBytes ?? memoryBytes) / 1024 / 1024);
  return {
    'node.version': fingerprint.node,
    'lab.version': fingerprint.lab,
    'host.kernel': fingerprint.kernel,
    'host.cpu_model': fingerprint.cpu,
    'host.cpus': Math.min(cores, limitCpus ?? cores),
    'host.memory_mb': memoryMb,
    ...(fingerprint.governor == null ? {} : { 'host.governor': fingerprint.governor }),
    ...Object.fromEntries(Object.entries(fingerprint.sysctls ?? {}).map(([name, value]) => [`sysctl.${name}`, value])),
    'generator.cores': cores,
    'generator.memory_mb': memoryMb,
    'generator.os': fingerprint.platform,
    ...(fingerprint.openFilesMax === null ? {} : { 'generator.open_files_max': fingerprint.openFilesMax }),
  };
}

/** Null where there is no such file. */
function firstLine(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').split('\n', 1)[0]?.trim() ?? null;
  } catch {
    return null; // another kernel, or not Linux
  }
}

/** cgroup v2, `quota period`; `max` is no limit. */
function containerCpus(line: string | null): number | null {
  const [quota, period] = (line ?? '').split(' ').map(Number);
  return quota !== undefined && period !== undefined && quota > 0 ? quota / period : null;
}

function numberOrNull(text: string | null): number | null {
  const value = Number(text ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}

/** The commit that is checked out; null outside a working copy. Spec: gitrepository-layout(5). */
function commitOf(git: URL): string | null {
  const head = firstLine(new URL('HEAD', git).pathname);
  if (head?.startsWith('ref: ') !== true) return head;
  const ref = head.slice('ref: '.length);
  return firstLine(new URL(ref, git).pathname) ?? packedRef(new URL('packed-refs', git).pathname, ref);
}

function packedRef(path: string, ref: string): string | null {
  try {
    const line = readFileSync(path, 'utf8')
      .split('\n')
      .find((one) => one.endsWith(` ${ref}`));
    return line?.split(' ')[0] ?? null;
  } catch {
    return null;
  }
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
