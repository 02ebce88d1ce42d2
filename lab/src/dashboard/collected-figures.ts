/** What the collectors last saw of the platform, by source: the latest figures only, and who fell silent. */
import { type CollectedSample, isCollected, type SampleLine } from '../collectors/sample.ts';
import { formatNumber, formatValue } from '../report/sentences.ts';
import type { Meter, MeterGroup, Panel, Tile, Tone } from './dashboard-frame.ts';
import { formatBits } from './shown-figure.ts';

/** More sources are not shown; `samples.jsonl` has them all. */
export const SOURCES_MAX = 24;
/** A figure that is older is not shown as if it were of now. */
const STALE_MS = 30_000;

type Latest = { line: SampleLine; figures: CollectedSample | null };

/** What kinds of sources are machines or processes: they get gauges. */
const MACHINES = ['host', 'container', 'process'];
const HTTP = ['nginx', 'api'];

/** One run. */
export class CollectedFigures {
  readonly #latest = new Map<string, Latest>();
  #left = 0;
  #nowMs = 0;

  addLine(line: SampleLine): void {
    this.#nowMs = Math.max(this.#nowMs, line.atMs);
    const labels = Object.entries(line.labels ?? {}).filter(([name]) => name !== 'pid');
    const name = [line.collector, line.source, ...labels.map(([, value]) => value)].join(' ');
    const known = this.#latest.get(name);
    if (known === undefined && this.#latest.size >= 4 * SOURCES_MAX) {
      this.#left += 1;
      return;
    }
    this.#latest.set(name, { line, figures: isCollected(line) ? line : (known?.figures ?? null) });
  }

  /** Time goes on without lines too. */
  tick(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  /** Gauges of each container, process and machine. */
  system(): Panel {
    const machines = this.#of(MACHINES);
    const others = this.#silent();
    return {
      id: 'system',
      title: 'System',
      tiles: others,
      table: null,
      groups: machines.slice(0, SOURCES_MAX).map((latest) => this.#machine(latest)),
      empty: 'No collector looks at a machine, a container or a process.',
    };
  }

  /** Figures of media servers. */
  streaming(): Tile[] {
    return this.#of(['media', 'srs']).flatMap(({ figures }) => {
      if (figures === null || figures.labels?.stream !== undefined) return [];
      const { metrics, source } = figures;
      const viewers = metrics.viewers ?? metrics.clients;
      return tiles([
        [`viewers by ${source}`, viewers, formatNumber],
        [`sent by ${source}`, metrics.send_kbps, (kbps) => formatBits(kbps * 1000)],
        ['stream bitrate', metrics.recv_kbps, (kbps) => formatBits(kbps * 1000)],
        ['frames dropped', metrics.dropped_packets ?? metrics.frame_drops_per_min, formatNumber],
      ]);
    });
  }

  /** Servers that answer HTTP. */
  http(): MeterGroup[] {
    return this.#of(HTTP).map(({ line, figures }) => {
      const metrics = figures?.metrics ?? {};
      const value = (
        label: string,
        of: number | undefined,
        write: (of: number) => string,
        badAbove = Infinity,
      ): Meter[] =>
        of === undefined ? [] : [{ label, value: write(of), percent: null, tone: of > badAbove ? 'bad' : 'calm' }];
      const ms = (of: number): string => formatValue(of, 'ms');
      const percent = (of: number): string => formatValue(of, 'percent');
      return {
        name: `${line.source}${line.collector === 'nginx' ? ' (access log)' : ''}`,
        note: this.#note(line),
        meters: [
          ...value('requests', metrics.req_per_sec, (of) => `${of.toFixed(1)}/s`),
          ...value('4xx', metrics.error_4xx_pct, percent, 5),
          ...value('5xx', metrics.error_5xx_pct, percent, 1),
          ...value('499', metrics.error_499_pct, percent, 5),
          ...value('p50', metrics.rt_p50_ms ?? metrics.p50_ms, ms),
          ...value('p95', metrics.rt_p95_ms ?? metrics.p95_ms, ms),
          ...value('p99', metrics.rt_p99_ms ?? metrics.p99_ms, ms),
        ],
      };
    });
  }

  /** Sockets by namespace. */
  connections(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { figures } of this.#of(['websocket'])) {
      for (const [name, value] of Object.entries(figures?.metrics ?? {})) {
        const namespace = /^(\w+)_connections$/.exec(name)?.[1];
        if (namespace === undefined) continue;
        const path = namespace === 'root' ? '/' : `/${namespace}`;
        sums.set(path, (sums.get(path) ?? 0) + value);
      }
    }
    return sums;
  }

  /** What the realtime server says of itself. */
  room(): Tile[] {
    return this.#of(['websocket']).flatMap(({ figures }) =>
      tiles([
        ['messages, by the server', figures?.metrics.chat_msg_per_sec, (of) => `${of.toFixed(1)}/s`],
        ['viewers, by the server', figures?.metrics.viewers, formatNumber],
      ]),
    );
  }

  /** Newest value of a metric by source, for the charts; null when its source is silent. */
  bySource(kinds: readonly string[], metric: string): ReadonlyMap<string, number | null> {
    return new Map(
      this.#of(kinds)
        .slice(0, SOURCES_MAX)
        .flatMap(({ line, figures }) => {
          const value = figures?.metrics[metric];
          if (value === undefined) return [];
          return [[nameOf(line), this.#isStale(figures ?? line) ? null : value] as const];
        }),
    );
  }

  #of(kinds: readonly string[]): Latest[] {
    return [...this.#latest.values()].filter(({ line }) => kinds.includes(line.collector.split(' ', 1)[0] ?? ''));
  }

  #machine({ line, figures }: Latest): MeterGroup {
    const metrics = figures?.metrics ?? {};
    const { cpu_pct: cpu, mem_pct: memPercent, mem_mb: memMb, swap_mb: swap } = metrics;
    const facts = [
      ...fact('threads', metrics.pids, formatNumber),
      ...fact('files', metrics.fds, formatNumber),
      ...fact('sockets', metrics.sockets, formatNumber),
      ...fact('swap', swap === 0 ? undefined : swap, (mb) => `${formatNumber(mb)} MB`),
    ];
    return {
      name: nameOf(line),
      note: this.#note(line) || facts.join(', '),
      meters: [
        ...(cpu === undefined ? [] : [meter('CPU', `${Math.round(cpu)} %`, cpu, 75)]),
        ...(memPercent === undefined && memMb === undefined
          ? []
          : [
              meter(
                'memory',
                memMb === undefined ? `${Math.round(memPercent ?? 0)} %` : `${formatNumber(memMb)} MB`,
                memPercent ?? null,
                80,
              ),
            ]),
      ],
    };
  }

  /** Sources of any kind that bring nothing: a gap, never zero. */
  #silent(): Tile[] {
    const silent = [...this.#latest.values()].filter(({ line }) => !isCollected(line) || this.#isStale(line));
    const tile = ({ line }: Latest): Tile => ({
      label: `${line.collector} ${line.source}`,
      value: 'no figures',
      tone: 'warn',
    });
    const left: Tile[] = this.#left === 0 ? [] : [{ label: 'sources', value: 'more than can be shown', tone: 'warn' }];
    return [...silent.slice(0, SOURCES_MAX).map(tile), ...left];
  }

  #note(line: SampleLine): string {
    if (!isCollected(line)) return `no figures: ${line.error}`;
    return this.#isStale(line) ? 'silent' : '';
  }

  #isStale({ atMs }: SampleLine): boolean {
    return this.#nowMs - atMs > STALE_MS;
  }
}

/** A machine and a process on it may go by the same name. */
function nameOf({ collector, source }: SampleLine): string {
  return collector === 'host' ? `machine of ${source === 'lab' ? 'the lab' : source}` : source;
}

function meter(label: string, value: string, percent: number | null, badAbove: number): Meter {
  const tone: Tone =
    percent === null ? 'calm' : percent > badAbove ? 'bad' : percent > 0.8 * badAbove ? 'warn' : 'good';
  return { label, value, percent: percent === null ? null : Math.round(percent * 10) / 10, tone };
}

function fact(name: string, value: number | undefined, write: (value: number) => string): string[] {
  return value === undefined ? [] : [`${write(value)} ${name}`];
}

function tiles(list: readonly (readonly [string, number | undefined, (value: number) => string])[]): Tile[] {
  return list.flatMap(([label, value, write]) =>
    value === undefined ? [] : [{ label, value: write(value), tone: 'calm' as const }],
  );
}
