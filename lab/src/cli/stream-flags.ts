/** `--seller`, `--rtmp`, `--encoder` and `--sentinels` of `run`: streams that the lab publishes itself, and real browsers. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withStreamKey } from '@showfloor/rtmp-client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { monotonicMs } from '../clock.ts';
import type { PlanOptions } from '../engine/plan.ts';
import type { ExtraOptions } from '../engine/run-extras.ts';
import type { Scenario } from '../engine/scenario.ts';
import type { ProcessBindings } from '../faults/process-control.ts';
import { BUNDLED_CLIP, PublishError, PublisherFleet } from '../publisher/publisher-fleet.ts';
import { ENCODERS, type Encoder, type PublishedAs } from '../publisher/publisher-messages.ts';
import { numberedUrl } from '../publisher/stream-names.ts';
import { detectHls } from '../target/detect-hls.ts';
import { type FoundTarget, findAdapter, findTarget } from '../target/load-target.ts';
import {
  type MadeStreams,
  type TargetDescription,
  TargetUnreachableError,
  type WatchableStream,
} from '../target/target.ts';

const ON_AIR_MS_MAX = 20_000;
/** How long a target may take to show what it has accepted. */
const KNOWN_MS_MAX = 8_000;
const ASK_EVERY_MS = 250;
const SENTINELS_MAX = 16;

/** What the user said. */
export type StreamFlags = {
  readonly seller?: string;
  readonly rtmp?: string;
  readonly rtmpKey?: string;
  readonly clip?: string;
  readonly encoder: Encoder;
  readonly sentinels?: number;
};

/** What a run gets of it. `close` takes the streams off the air and ends what was made for them. */
export type OpenedStreams = {
  readonly found: FoundTarget;
  readonly extras: ExtraOptions;
  readonly processes: ProcessBindings;
  readonly close: () => Promise<void>;
};

/** Adds them to `run`. */
export function addStreamFlags(command: Command): Command {
  return command
    .option('--seller <login>', 'publish shows of this seller: a fresh one-time sign-in link, or email:password')
    .option('--rtmp <url>', 'publish here, rtmp://host/app/name; {n} in it and in --target is the number of the stream')
    .option('--rtmp-key <secret>', 'stream key for --rtmp; LAB_STREAM_KEY in the environment is the same')
    .option('--clip <flv>', 'what to publish, over and over (default: the bundled clip)')
    .addOption(
      new Option('--encoder <name>', 'own: with the capture time in each picture; ffmpeg: independent, without it')
        .choices([...ENCODERS])
        .default('own'),
    )
    .option(
      '--sentinels <n>',
      'so many real headless browsers in the same run, compared with the virtual viewers',
      parseSentinels,
    );
}

/**
 * Publishes what the flags and the scenario ask for and looks at the target once it is on air. Throws PublishError,
 * TargetUnreachableError.
 */
export async function openStreams(
  scenario: Scenario,
  target: { readonly url: URL; readonly kind: string | undefined },
  size: PlanOptions,
  flags: StreamFlags,
): Promise<OpenedStreams> {
  const sentinels = flags.sentinels === undefined ? {} : { sentinels: { count: flags.sentinels } };
  if (flags.seller === undefined && flags.rtmp === undefined) {
    if (scenario.publishers !== undefined) {
      throw new PublishError(`${scenario.name} publishes its own streams: say where with --seller or --rtmp`);
    }
    const found = await findTarget(target.url, target.kind);
    return { found, extras: sentinels, processes: {}, close: () => Promise.resolve() };
  }
  const count = streamCount(scenario, size);
  const made = flags.seller === undefined ? null : await makeStreams(target, count, flags.seller);
  const published =
    made === null ? publishedAt(flags, count) : made.streams.map(({ name, publishUrl }) => ({ name, url: publishUrl }));
  let fleet: PublisherFleet | null = null;
  const close = async (): Promise<void> => {
    await fleet?.close();
    await made?.close();
  };
  try {
    const file = resolve(flags.clip ?? fileURLToPath(BUNDLED_CLIP));
    fleet = await PublisherFleet.open({ streams: published, file, encoder: flags.encoder });
    await fleet.allOnAir(ON_AIR_MS_MAX);
    console.log(`publishing ${count} ${count === 1 ? 'stream' : 'streams'} by ${flags.encoder}`);
    const found = made === null ? await findNumbered(target, published) : await findMade(target, made);
    const own = { stop: () => fleet?.stop(), start: () => fleet?.start() };
    return { found, extras: { ...sentinels, fleet }, processes: { publisher: { own } }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One where the scenario does not say; several shrink and grow with its viewers. */
function streamCount({ publishers, viewers }: Scenario, size: PlanOptions): number {
  const full = publishers?.streams ?? 1;
  return Math.max(1, Math.round((full * (size.viewers ?? viewers)) / viewers));
}

function publishedAt({ rtmp = '', rtmpKey }: StreamFlags, count: number): PublishedAs[] {
  const key = rtmpKey ?? process.env.LAB_STREAM_KEY ?? '';
  try {
    return Array.from({ length: count }, (_, index) => ({
      name: `stream-${index + 1}`,
      url: withStreamKey(numberedUrl(rtmp, index + 1, count), key),
    }));
  } catch (error) {
    throw new PublishError(`--rtmp: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function makeStreams(
  { url, kind }: { readonly url: URL; readonly kind: string | undefined },
  count: number,
  seller: string,
): Promise<MadeStreams> {
  const { makeStreams: make } = await findAdapter(kind ?? 'showfloor');
  if (make === undefined) throw new PublishError(`--seller: ${kind ?? 'this target'} makes no streams; use --rtmp`);
  return await make(url, count, seller);
}

async function findMade(
  target: { readonly url: URL; readonly kind: string | undefined },
  made: MadeStreams,
): Promise<FoundTarget> {
  const found = await untilFound(target.url, target.kind);
  const first = made.streams[0];
  if (first === undefined) return found;
  const isLowLatency = (await untilListed(first.hlsUrl))?.isLowLatency ?? null;
  const streams = made.streams.map(({ name, flvUrl, hlsUrl }) => ({
    name,
    flvUrl,
    hls: isLowLatency === null ? null : { url: hlsUrl, isLowLatency },
  }));
  return watching(found, streams);
}

/** A publisher that was taken is on air for the shop, and for viewers, a moment later. */
async function untilFound(url: URL, kind: string | undefined): Promise<FoundTarget> {
  const deadlineMs = monotonicMs() + KNOWN_MS_MAX;
  for (;;) {
    try {
      return await findTarget(url, kind);
    } catch (error) {
      if (!(error instanceof TargetUnreachableError) || monotonicMs() > deadlineMs) throw error;
      await sleep(ASK_EVERY_MS);
    }
  }
}

/** The first list needs a segment. Null when there is none in time: then nobody watches by HLS, and the run says so. */
async function untilListed(hlsUrl: string): Promise<TargetDescription['hls']> {
  const deadlineMs = monotonicMs() + KNOWN_MS_MAX;
  for (;;) {
    const hls = await detectHls(hlsUrl);
    if (hls !== null || monotonicMs() > deadlineMs) return hls;
    await sleep(ASK_EVERY_MS);
  }
}

/** A target that is a URL has one per stream, each of which must answer. */
async function findNumbered(
  { url, kind }: { readonly url: URL; readonly kind: string | undefined },
  published: readonly PublishedAs[],
): Promise<FoundTarget> {
  const text = decodeURI(url.href);
  const urls = published.map(
    (_, index) => new URL(numberedUrl(text, index + 1, url.pathname === '/' ? 1 : published.length)),
  );
  const [first, ...others] = await Promise.all(urls.map((one) => untilFound(one, kind)));
  if (first === undefined) throw new TargetUnreachableError(`${url.href} has no stream`);
  if (published.length === 1) return first;
  const streams = [first, ...others].map(({ description }, index) => ({
    name: published[index]?.name ?? '',
    flvUrl: description.flvUrl,
    hls: description.hls,
  }));
  return watching(first, streams);
}

/** Room and shop of the target are those of the first show. */
function watching(found: FoundTarget, streams: readonly WatchableStream[]): FoundTarget {
  const { description } = found;
  const [first] = streams;
  if (first === undefined) return found;
  const subject = streams.length === 1 ? `show ${first.name}` : `${streams.length} shows`;
  return {
    ...found,
    description: {
      ...description,
      subject,
      flvUrl: first.flvUrl,
      hls: first.hls,
      streams,
      room: description.room === null ? null : { ...description.room, name: first.name },
      shop: description.shop === null ? null : { ...description.shop, show: first.name },
    },
  };
}

function parseSentinels(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > SENTINELS_MAX) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${SENTINELS_MAX}.`);
  }
  return count;
}
