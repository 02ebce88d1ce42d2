/** What the plane tests stand on: a real plane on free ports, a real HTTP-FLV reader, a real encoder. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type ClientRequest, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  concatBytes,
  decodeAmf0All,
  encodeFlvHeader,
  encodeFlvTag,
  FlvDemuxer,
  type FlvTag,
  FlvTagType,
  prefixAvcNal,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { type PublishLoopState, publishFlvLoop } from '@showfloor/rtmp-client';
import { createLogger, createMetrics } from '@showfloor/service-kit';
import type { HubEvent } from '../src/hub/stream-hub.ts';
import type { Admit } from '../src/ingest/admission.ts';
import { createMediaMetrics } from '../src/media-metrics.ts';
import { type MediaPlane, type MediaPlaneOptions, startMediaPlane } from '../src/media-plane.ts';

/** The key that the plane under test accepts, for every stream whose name begins with "show". */
export const GOOD_KEY = 'k3y-good';
/** 2 s of H.264 320x180 at 25/s with AAC, by ffmpeg. */
export const CLIP = new Uint8Array(
  readFileSync(new URL('../../media-formats/fixtures/avc-aac-320x180.flv', import.meta.url)),
);

/** Waits until `condition` holds (returns something truthy); throws with `what` after `timeoutMs`. */
export async function until<T>(what: string, condition: () => T | Promise<T>, timeoutMs = 10_000): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(10);
  }
}

/** A plane on free ports. Everything it says is kept. */
export class PlaneUnderTest implements AsyncDisposable {
  readonly plane: MediaPlane;
  readonly events: HubEvent[];
  readonly metricsText: () => Promise<string>;
  readonly #stops: (() => Promise<void> | void)[] = [];

  private constructor(plane: MediaPlane, events: HubEvent[], metricsText: () => Promise<string>) {
    this.plane = plane;
    this.events = events;
    this.metricsText = metricsText;
  }

  /** Starts one; `admit` accepts {@link GOOD_KEY} for `show*` unless given. */
  static async start(options: Partial<MediaPlaneOptions> = {}): Promise<PlaneUnderTest> {
    const registry = createMetrics('media-test');
    const events: HubEvent[] = [];
    const plane = await startMediaPlane({
      host: '127.0.0.1',
      rtmpPort: 0,
      httpPort: 0,
      serverId: 'test',
      admit: admitGoodKey,
      onEvent: (event) => events.push(event),
      log: createLogger('media-test', 'silent'),
      metrics: createMediaMetrics(registry),
      ...options,
    });
    return new PlaneUnderTest(plane, events, () => registry.metrics());
  }

  /** Types of the events so far. */
  get story(): string[] {
    return this.events.map((event) => event.type);
  }

  rtmpUrl(playbackId: string, key = GOOD_KEY): string {
    return `rtmp://127.0.0.1:${this.plane.rtmpPort}/live/${playbackId}?key=${key}`;
  }

  flvUrl(playbackId: string): string {
    return `http://127.0.0.1:${this.plane.httpPort}/live/${playbackId}.flv`;
  }

  /** Publishes the clip in a loop. `stop` ends it; also ended with the plane. */
  publish(playbackId: string, key = GOOD_KEY, flvBytes: Uint8Array = CLIP): LoopUnderTest {
    const abort = new AbortController();
    const states: PublishLoopState[] = [];
    const done = publishFlvLoop({
      url: this.rtmpUrl(playbackId, key),
      flvBytes,
      signal: abort.signal,
      onState: (state) => states.push(state),
      retryFirstMs: 50,
      retryMaxMs: 100,
    });
    const stop = async (): Promise<void> => {
      abort.abort();
      await done;
    };
    this.#stops.push(stop);
    return { states, stop };
  }

  /** Publishes and waits until viewers can join. */
  async onAir(playbackId: string): Promise<LoopUnderTest> {
    const loop = this.publish(playbackId);
    await until(`${playbackId} on air`, () => this.plane.hub.find(playbackId)?.state === 'live');
    return loop;
  }

  /** Watches; ended with the plane. */
  watch(playbackId: string, options: { keepsTags?: boolean } = {}): FlvWatcher {
    const watcher = new FlvWatcher(this.flvUrl(playbackId), options);
    this.#stops.push(() => watcher.close());
    return watcher;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops) await stop();
    await this.plane.close();
  }
}

/** A running publish loop. */
export type LoopUnderTest = Readonly<{ states: PublishLoopState[]; stop: () => Promise<void> }>;

/** Accepts {@link GOOD_KEY} for streams named `show…`. */
export const admitGoodKey: Admit = (request) => {
  if (!request.playbackId.startsWith('show')) return Promise.resolve({ ok: false, reason: 'unknown_stream' });
  if (request.key !== GOOD_KEY) return Promise.resolve({ ok: false, reason: 'wrong_key' });
  return Promise.resolve({ ok: true, showId: '0b1f5a52-5d7e-4f0c-9a53-1f1f5d9c0001' });
};

/** Reads HTTP-FLV over a real connection and keeps every tag, unless `keepsTags` is false. */
export class FlvWatcher {
  readonly tags: FlvTag[] = [];
  /** Called with each coded picture. */
  onPicture: ((tag: FlvTag) => void) | null = null;
  pictureCount = 0;
  status = 0;
  isClosed = false;
  readonly #request: ClientRequest;

  constructor(url: string, options: { keepsTags?: boolean } = {}) {
    const demuxer = new FlvDemuxer({
      onTag: (tag) => {
        if (options.keepsTags !== false) this.tags.push(tag);
        if (!isPicture(tag)) return;
        this.pictureCount += 1;
        this.onPicture?.(tag);
      },
    });
    this.#request = get(url, { agent: false }, (response) => {
      this.status = response.statusCode ?? 0;
      response.on('data', (bytes: Buffer) => {
        if (this.status === 200) demuxer.push(bytes);
      });
      response.on('close', () => {
        this.isClosed = true;
      });
      response.on('error', () => {
        this.isClosed = true; // cut by the server
      });
    });
    this.#request.on('error', () => {
      this.isClosed = true;
    });
  }

  /** Coded pictures only. */
  get pictures(): FlvTag[] {
    return this.tags.filter(isPicture);
  }

  /** The `state` of each state tag. */
  get states(): unknown[] {
    return this.tags.flatMap((tag) => {
      if (tag.typeId !== FlvTagType.script) return [];
      const [name, value] = decodeAmf0All(tag.payload);
      return name === 'onStreamState' ? [(value as { state?: unknown }).state] : [];
    });
  }

  close(): void {
    this.#request.destroy();
  }
}

function isPicture(tag: FlvTag): boolean {
  return tag.typeId === FlvTagType.video && readFlvVideoHeader(tag.payload).kind === 'frames';
}

/** The clip with filler in every picture, so that it runs at about `bytesPerSecond`. */
export function bigClip(bytesPerSecond: number): Uint8Array {
  const parts: Uint8Array[] = [encodeFlvHeader({ hasAudio: true, hasVideo: true })];
  const filler = prefixAvcNal(new Uint8Array(Math.round(bytesPerSecond / 25)).fill(0xff).fill(12, 0, 1), 4);
  const demuxer = new FlvDemuxer({
    onTag: (tag) => {
      const payload = isPicture(tag) ? concatBytes([tag.payload, filler]) : tag.payload;
      parts.push(encodeFlvTag({ ...tag, payload }));
    },
  });
  demuxer.push(CLIP);
  return concatBytes(parts);
}

/** The sum of a metric over its labels. */
export function metricOf(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/**
 * True when ffmpeg is there. Where CI is set a missing one fails the tests instead of skipping them.
 */
export function hasFfmpeg(): boolean {
  const isThere = spawnSync('ffmpeg', ['-version']).status === 0 && spawnSync('ffprobe', ['-version']).status === 0;
  return isThere || process.env.CI === 'true';
}

/** Runs a program to its end and resolves with its output. Rejects when it is not there. */
export async function run(
  command: string,
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}
