/** The machine that the lab runs on, from /proc. */
import { type Collector, MEGABYTE, onlyFinite } from './collector.ts';
import { keyedNumbers, PROC, readText } from './proc-files.ts';

const SECTOR_BYTES = 512; // /proc/diskstats counts these, whatever the disk has
const KB_PER_MB = 1024;
/** Whole disks: partitions and what is stacked on disks would count twice. */
const DISK = /^(sd[a-z]+|vd[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;

/** Times of all cores since boot, in ticks. */
type CpuTimes = { readonly total: number; readonly idle: number; readonly iowait: number; readonly steal: number };

/** `source`: a name for the machine. */
export function hostCollector(source = 'lab', proc = PROC): Collector {
  let earlier: CpuTimes | null = null;
  const file = (name: string): string => readText(`${proc}/${name}`) ?? '';
  return {
    collector: 'host',
    source,
    scrape: () => {
      const now = parseCpuTimes(file('stat'));
      const shares = earlier === null || now === null ? {} : cpuShares(earlier, now);
      earlier = now;
      const load = Number.parseFloat(file('loadavg'));
      const metrics = { ...shares, load1: load, ...memory(file('meminfo')), ...network(file('net/dev')) };
      return [{ metrics: onlyFinite({ ...metrics, ...disks(file('diskstats')), ...sockets(file('net/sockstat')) }) }];
    },
  };
}

function parseCpuTimes(text: string): CpuTimes | null {
  const line = /^cpu +(.*)$/m.exec(text)?.[1];
  if (line === undefined) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line
    .split(' ')
    .map(Number);
  return { total: user + nice + system + idle + iowait + irq + softirq + steal, idle, iowait, steal };
}

function cpuShares(before: CpuTimes, now: CpuTimes): Record<string, number> {
  const total = now.total - before.total;
  const share = (part: 'idle' | 'iowait' | 'steal'): number => ((now[part] - before[part]) / total) * 100;
  return { cpu_pct: 100 - share('idle') - share('iowait'), iowait_pct: share('iowait'), steal_pct: share('steal') };
}

function memory(text: string): Record<string, number | undefined> {
  const values = keyedNumbers(text);
  const megabytes = (key: string): number => (values.get(key) ?? Number.NaN) / KB_PER_MB;
  return {
    mem_pct: (1 - megabytes('MemAvailable') / megabytes('MemTotal')) * 100,
    mem_available_mb: megabytes('MemAvailable'),
    swap_mb: megabytes('SwapTotal') - megabytes('SwapFree'),
  };
}

/** Bytes by interface: received is the first column, sent the ninth. */
export function parseNetDev(
  text: string,
): { readonly name: string; readonly rxBytes: number; readonly txBytes: number }[] {
  return [...text.matchAll(/^\s*([^\s:]+):\s*(.*)$/gm)].map(([, name = '', rest = '']) => {
    const columns = rest.trim().split(/\s+/).map(Number);
    return { name, rxBytes: columns[0] ?? Number.NaN, txBytes: columns[8] ?? Number.NaN };
  });
}

function network(text: string): Record<string, number> {
  const interfaces = parseNetDev(text);
  const sum = (wanted: boolean, key: 'rxBytes' | 'txBytes'): number =>
    interfaces.filter(({ name }) => (name === 'lo') === wanted).reduce((total, one) => total + one[key], 0) / MEGABYTE;
  if (interfaces.length === 0) return {};
  return { net_rx_mb: sum(false, 'rxBytes'), net_tx_mb: sum(false, 'txBytes'), net_lo_mb: sum(true, 'rxBytes') };
}

function disks(text: string): Record<string, number> {
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/));
  const whole = rows.filter((row) => DISK.test(row[2] ?? ''));
  if (whole.length === 0) return {};
  const sum = (column: number): number =>
    (whole.reduce((total, row) => total + Number(row[column]), 0) * SECTOR_BYTES) / MEGABYTE;
  return { disk_read_mb: sum(5), disk_write_mb: sum(9) };
}

/** IPv6 sockets are counted in a file of their own, which not every kernel has. */
function sockets(text: string): Record<string, number> {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  return {
    sockets: number(/^sockets: used (\d+)/m),
    tcp_established: number(/^TCP: inuse (\d+)/m),
    tcp_time_wait: number(/^TCP:.* tw (\d+)/m),
  };
}
