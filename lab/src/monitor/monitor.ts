/**
 * Looks at a platform and sends nobody: collectors, alerts, the dashboard. Its folder holds `monitor.json` (what was looked
 * at), `samples.jsonl` and `events.jsonl`, in the formats of a run folder.
 */
import { randomBytes } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { AlertEvent } from '../alerts/alert.ts';
import { AlertBoard } from '../alerts/alert-board.ts';
import type { LabEvent } from '../clients/actor.ts';
import { pause } from '../clients/actor.ts';
import { monotonicMs } from '../clock.ts';
import { collectorsOf, ownCollectors, presentSources } from '../collectors/open-sources.ts';
import type { SampleLine } from '../collectors/sample.ts';
import { describeSource, type Source } from '../collectors/source.ts';
import { COLLECT_EVERY_MS, startCollectors } from '../collectors/start-collectors.ts';
import { DashboardFeed } from '../dashboard/dashboard-feed.ts';
import type { Dashboard } from '../dashboard/start-dashboard.ts';
import { NO_VU } from '../engine/stage.ts';
import { RunWriteError, UnusableFolderError } from '../run-folder/run-writer.ts';
import type { TargetDescription } from '../target/target.ts';

const FRAME_EVERY_MS = 1000;

/** What to look at, for how long, and where to keep it. */
export type MonitorOptions = {
  readonly target: TargetDescription;
  /** Named by the user: kept whether they answer or not. */
  readonly sources: readonly Source[];
  /** Default {@link COLLECT_EVERY_MS}. */
  readonly everyMs?: number;
  /** Default: until `signal` aborts. */
  readonly durationMs?: number;
  /** Must not exist, or be empty. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly dashboard: Dashboard;
  readonly sampled?: (line: SampleLine) => void;
  readonly onSources?: (present: readonly Source[], absent: readonly Source[]) => void;
  readonly onAlert?: (event: AlertEvent) => void;
};

/** How it went. */
export type MonitorResult = { readonly elapsedMs: number; readonly lines: number; readonly alerts: number };

/** Goes on until its time is over or `signal` aborts. Throws UnusableFolderError, CollectorSetupError, RunWriteError. */
export async function runMonitor(options: MonitorOptions): Promise<MonitorResult> {
  const { target, folder, durationMs, dashboard } = options;
  const everyMs = options.everyMs ?? COLLECT_EVERY_MS;
  const { present, absent } = await presentSources(target.sources ?? []);
  const named = options.sources.map(({ kind, name }) => `${kind} ${name}`);
  const sources = [...options.sources, ...present.filter(({ kind, name }) => !named.includes(`${kind} ${name}`))];
  options.onSources?.(sources.map(describeSource), absent);
  const runId = randomBytes(4).toString('hex');
  const record = { version: 1, runId, target, everyMs, sources: sources.map(describeSource), absent };
  const files = await MonitorFiles.create(folder, { ...record, startedAtWallMs: Date.now() });
  const feed = new DashboardFeed({
    runId,
    title: 'monitor',
    subtitle: `${target.url} · ${target.subject}`,
    durationMs: durationMs ?? null,
    run: null,
  });
  const alerts = new AlertBoard();
  const startAtMs = monotonicMs();
  let counted = { lines: 0, alerts: 0 };
  const onSample = (line: SampleLine): void => {
    counted = { ...counted, lines: counted.lines + 1 };
    files.sample(line);
    feed.addLine(line);
    options.sampled?.(line);
    for (const alert of alerts.add(line)) {
      counted = { ...counted, alerts: counted.alerts + (alert.name === 'alert_fired' ? 1 : 0) };
      const event = eventOf(alert);
      files.event(event);
      feed.addEvent(event);
      options.onAlert?.(alert);
    }
  };
  const running = startCollectors({
    collectors: [...collectorsOf(sources), ...ownCollectors()],
    everyMs,
    startAtMs,
    onSample,
  });
  const frames = setInterval(() => {
    feed.tick(monotonicMs() - startAtMs);
    dashboard.push(feed.frame());
  }, FRAME_EVERY_MS);
  try {
    const signal = AbortSignal.any([options.signal, files.failed]);
    await (durationMs === undefined ? aborted(signal) : pause(durationMs, signal));
  } finally {
    clearInterval(frames);
    await running.stop();
  }
  feed.finish(null);
  dashboard.push(feed.frame());
  await files.close();
  return { elapsedMs: Math.round(monotonicMs() - startAtMs), ...counted };
}

function eventOf({ name, atMs, rule, severity, title, section, source, threshold, value }: AlertEvent): LabEvent {
  const detail = { rule, severity, title, section, source, threshold, ...(value === null ? {} : { value }) };
  return { name, vu: NO_VU, atMs, detail };
}

/** The folder of one monitor; its owner awaits `close()`. */
class MonitorFiles {
  readonly #samples: WriteStream;
  readonly #events: WriteStream;
  readonly #failure = new AbortController();

  static async create(folder: string, record: unknown): Promise<MonitorFiles> {
    try {
      await mkdir(folder, { recursive: true });
      if ((await readdir(folder)).length > 0) throw new Error('it is not empty; name another with --out');
      await writeFile(join(folder, 'monitor.json'), `${JSON.stringify(record, null, 2)}\n`);
    } catch (error) {
      throw new UnusableFolderError(`${folder} cannot be used: ${error instanceof Error ? error.message : 'unknown'}`);
    }
    return new MonitorFiles(folder);
  }

  private constructor(folder: string) {
    this.#samples = this.#open(join(folder, 'samples.jsonl'));
    this.#events = this.#open(join(folder, 'events.jsonl'));
  }

  /** Aborts when a file cannot be written. */
  get failed(): AbortSignal {
    return this.#failure.signal;
  }

  sample(line: SampleLine): void {
    write(this.#samples, { timestamp: new Date(line.atWallMs).toISOString(), ...line });
  }

  event(event: LabEvent): void {
    write(this.#events, event);
  }

  /** Throws RunWriteError when something was not kept. */
  async close(): Promise<void> {
    const open = [this.#samples, this.#events].filter((stream) => !stream.destroyed);
    for (const stream of open) stream.end();
    await Promise.allSettled(open.map((stream) => finished(stream)));
    this.failed.throwIfAborted();
  }

  #open(path: string): WriteStream {
    const stream = createWriteStream(path);
    stream.on('error', (error) =>
      this.#failure.abort(new RunWriteError(`${path} cannot be written: ${error.message}`)),
    );
    return stream;
  }
}

function write(stream: WriteStream, value: unknown): void {
  if (!stream.destroyed) stream.write(`${JSON.stringify(value)}\n`);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
