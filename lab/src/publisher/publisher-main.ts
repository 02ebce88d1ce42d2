/** Entry of the thread that publishers run in: pictures must leave in time, whatever the thread that merges figures does. */
import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { describeRefusal, publishFlvLoop } from '@showfloor/rtmp-client';
import type { LabEvent } from '../clients/actor.ts';
import { monotonicMs } from '../clock.ts';
import { LagProbe } from '../engine/lag-probe.ts';
import { Recorder } from '../metrics/recorder.ts';
import { publishWithFfmpeg } from './ffmpeg-publisher.ts';
import type {
  PublishedAs,
  PublisherChange,
  PublisherMessage,
  PublisherReport,
  PublisherTask,
} from './publisher-messages.ts';
import { createPublisherMetrics } from './publisher-metrics.ts';
import { StreamFigures } from './stream-figures.ts';

const SLICE_MS = 1000;

const port = parentPort;
if (port === null) throw new Error('publisher-main.ts runs in a worker thread only');
const post = (report: PublisherReport): void => port.postMessage(report);
const { streams, file, encoder } = workerData as PublisherTask;
/** One copy for all streams. */
const flvBytes = encoder === 'own' && file !== null ? await readFile(file) : new Uint8Array();
const recorder = new Recorder();
const metrics = createPublisherMetrics(recorder, encoder);
const probe = new LagProbe();
const figuresOf = new Map(streams.map(({ name }) => [name, new StreamFigures(metrics)]));
let stop = new AbortController();
let running: Promise<unknown> = Promise.resolve();

const timer = setInterval(
  () => post({ type: 'slice', atMs: monotonicMs(), data: recorder.takeSlice(), self: probe.sample() }),
  SLICE_MS,
);
port.on('message', ({ type }: PublisherMessage) => {
  if (type === 'start') start();
  else void end().then(() => (type === 'close' ? close() : undefined));
});
start();

function start(): void {
  const before = running;
  stop = new AbortController();
  const { signal } = stop;
  // A name is free once the goodbye of the last publish is out.
  running = before.then(() => Promise.all(streams.map((stream) => publish(stream, signal))));
}

async function end(): Promise<void> {
  stop.abort();
  await running;
}

function close(): void {
  clearInterval(timer);
  probe.stop();
  post({ type: 'slice', atMs: monotonicMs(), data: recorder.takeSlice(), self: probe.sample() });
  port?.close();
}

async function publish(stream: PublishedAs, signal: AbortSignal): Promise<void> {
  const figures = figuresOf.get(stream.name) ?? new StreamFigures(metrics);
  try {
    await (encoder === 'own' ? publishOwn(stream, figures, signal) : publishByFfmpeg(stream, figures, signal));
  } finally {
    figures.stopped();
    tell(stream, 'stopped', 'stopped', {});
  }
}

async function publishOwn({ url, name }: PublishedAs, figures: StreamFigures, signal: AbortSignal): Promise<void> {
  await publishFlvLoop({
    url,
    flvBytes,
    signal,
    onState: (state) => {
      const atMs = monotonicMs();
      if (state.kind === 'connecting') figures.attempt();
      if (state.kind === 'publishing') {
        figures.accepted(atMs, state.connectMs);
        tell({ url, name }, 'on_air', '', { connect_ms: Math.round(state.connectMs) });
      }
      if (state.kind !== 'waiting') return;
      const code = state.statusCode === undefined ? {} : { code: state.statusCode };
      const kind = figures.failed(atMs, state.reason);
      tell({ url, name }, kind, describeRefusal(state.reason), { ...code, retry_in_ms: state.retryInMs });
    },
    onStats: ({ pacingErrorMaxMs, backlogBytes, droppedTags }) =>
      figures.sent({ pacingErrorMs: pacingErrorMaxMs, backlogBytes, droppedTags }),
  });
}

async function publishByFfmpeg({ url, name }: PublishedAs, figures: StreamFigures, signal: AbortSignal): Promise<void> {
  await publishWithFfmpeg(url, file, signal, {
    onAttempt: () => figures.attempt(),
    onAccepted: (atMs, connectMs) => {
      figures.accepted(atMs, connectMs);
      tell({ url, name }, 'on_air', '', { connect_ms: Math.round(connectMs) });
    },
    onEnded: (atMs, reason) => tell({ url, name }, figures.failed(atMs, 'ended'), reason, {}),
    onPacing: (pacingErrorMs) => figures.sent({ pacingErrorMs, backlogBytes: 0, droppedTags: 0 }),
  });
}

function tell(
  { name }: PublishedAs,
  state: PublisherChange['state'],
  reason: string,
  detail: LabEvent['detail'],
): void {
  post({ type: 'change', atMs: monotonicMs(), change: { stream: name, state, reason, detail } });
}
