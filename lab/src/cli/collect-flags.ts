/** `--collect`, `--collect-every`, `--prometheus-port`: what is watched besides the virtual users, and who may read it. */
import { type Command, InvalidArgumentError } from 'commander';
import type { CollectRequest } from '../collectors/run-collection.ts';
import { parseSource, SOURCE_KINDS, type Source, SourceError } from '../collectors/source.ts';
import { parseDurationMs } from '../engine/duration.ts';
import type { RunObserver } from '../engine/run-observer.ts';
import { startPrometheusEndpoint } from '../outputs/prometheus-endpoint.ts';

const EVERY_MS_MIN = 1000;
const PORT_MAX = 65_535;

/** What the flags say. */
export type CollectFlags = {
  readonly collect?: readonly Source[];
  readonly collectEvery?: number;
  readonly prometheusPort?: number;
};

/** Adds the flags to a command. */
export function addCollectFlags(command: Command): Command {
  return command
    .option(
      '--collect <kind[:name]=where>',
      `also watch this, e.g. redis=redis://127.0.0.1:6379; repeatable; kinds: ${Object.keys(SOURCE_KINDS).join(', ')}`,
      addSource,
    )
    .option('--collect-every <time>', 'how often (default: 5s)', parseEvery)
    .option('--prometheus-port <port>', 'show everything at http://127.0.0.1:PORT/metrics while it goes on', parsePort);
}

/** For `runScenario`. */
export function collectRequest({ collect, collectEvery }: CollectFlags): CollectRequest {
  return {
    ...(collect === undefined ? {} : { sources: collect }),
    ...(collectEvery === undefined ? {} : { everyMs: collectEvery }),
  };
}

/** Serves the metrics for as long as it is open, where a port was named. Throws EndpointError. */
export async function openPrometheus({
  prometheusPort,
}: CollectFlags): Promise<{ readonly observer: RunObserver; readonly close: () => Promise<void> }> {
  if (prometheusPort === undefined) return { observer: {}, close: async () => {} };
  const endpoint = await startPrometheusEndpoint({ port: prometheusPort });
  console.log(`metrics: ${endpoint.url}`);
  return { observer: { sampled: endpoint.addSample, progressed: endpoint.setProgress }, close: endpoint.close };
}

function addSource(text: string, known: readonly Source[] = []): readonly Source[] {
  try {
    return [...known, parseSource(text)];
  } catch (error) {
    if (error instanceof SourceError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function parseEvery(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null || ms < EVERY_MS_MIN) throw new InvalidArgumentError('It must be a time of at least 1 s, e.g. 5s.');
  return ms;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > PORT_MAX) throw new InvalidArgumentError('It must be a port, 0 to 65535.');
  return port;
}
