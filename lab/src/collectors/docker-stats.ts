/**
 * Containers by `docker stats --no-stream --format '{{json .}}'`, where cgroup files cannot be read. It takes about two
 * seconds by design: docker looks twice to tell CPU. The parser is tested on recorded output; docker itself is not run by
 * this repository's tests.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CollectError, type Collector, MEGABYTE, onlyFinite, type Reading } from './collector.ts';

const OUTPUT_BYTES_MAX = 1_048_576;
/** docker writes decimal units for network and disk, binary ones for memory. */
const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** One line of samples per container, its name as label `name`. `names`: only these; empty: all that run. */
export function dockerCollector(source: string, names: readonly string[] = [], docker = 'docker'): Collector {
  return {
    collector: 'container',
    source,
    scrape: async (signal) => {
      const options = { signal, maxBuffer: OUTPUT_BYTES_MAX };
      const ask = ['stats', '--no-stream', '--format', '{{json .}}', ...names];
      const { stdout } = await promisify(execFile)(docker, ask, options);
      return parseDockerStats(stdout);
    },
  };
}

/** Throws {@link CollectError} at a line that is none of docker's. */
export function parseDockerStats(text: string): Reading[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const row = parseRow(line);
    const [memory] = pair(row.MemUsage);
    const [received, sent] = pair(row.NetIO);
    const [read, written] = pair(row.BlockIO);
    return {
      labels: { name: row.Name ?? '' },
      metrics: onlyFinite({
        cpu_pct: Number.parseFloat(row.CPUPerc ?? ''),
        mem_mb: memory / MEGABYTE,
        mem_pct: Number.parseFloat(row.MemPerc ?? ''),
        net_rx_mb: received / MEGABYTE,
        net_tx_mb: sent / MEGABYTE,
        block_read_mb: read / MEGABYTE,
        block_write_mb: written / MEGABYTE,
        pids: Number.parseFloat(row.PIDs ?? ''),
      }),
    };
  });
}

function parseRow(line: string): Partial<Record<string, string>> {
  try {
    return JSON.parse(line) as Partial<Record<string, string>>;
  } catch {
    throw new CollectError(`docker stats wrote something else than JSON: ${line.slice(0, 80)}`);
  }
}

/** `648MiB / 7.6GiB`. A container that has just ended shows `-- / --`. */
function pair(text = ''): [number, number] {
  const [first = '', second = ''] = text.split('/').map((part) => part.trim());
  return [bytes(first), bytes(second)];
}

function bytes(text: string): number {
  const [, value, unit = ''] = /^([\d.]+)\s*([A-Za-z]+)$/.exec(text) ?? [];
  return Number(value) * (UNIT_BYTES[unit] ?? Number.NaN);
}
