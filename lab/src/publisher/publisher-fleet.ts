/** The streams that the lab itself publishes, in a thread of their own. */
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { parsePublishUrl, readFlvLoop } from '@showfloor/rtmp-client';
import type { PublisherChange, PublisherMessage, PublisherReport, PublisherTask } from './publisher-messages.ts';

/** The clip that is played unless another is named; it is Showfloor's own and carries no capture time until it is sent. */
export const BUNDLED_CLIP = new URL('../../../apps/showfloor/assets/demo-clip.flv', import.meta.url);
/** More streams than this in one thread would be late with their pictures. */
export const STREAMS_MAX = 1000;

/** A publish that cannot begin: the file, the URL, or a server that refuses every stream. */
export class PublishError extends Error {
  override readonly name = 'PublishError';
}

/** What the owner is told; `onReport` is called for changes and once per second with figures. */
export type FleetOptions = PublisherTask & { readonly onReport?: (report: PublisherReport) => void };

/** All streams of a run. Its owner awaits `close()`. */
export class PublisherFleet {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #onAir = new Set<string>();
  readonly #size: number;
  readonly #listeners = new Set<(report: PublisherReport) => void>();
  #failure: Error | null = null;
  #isClosed = false;

  /** Starts publishing; a server that is not there is asked again and again. Throws {@link PublishError} for a file or URL. */
  static async open(options: FleetOptions): Promise<PublisherFleet> {
    const { streams, file, encoder } = options;
    if (streams.length === 0 || streams.length > STREAMS_MAX) {
      throw new PublishError(`${streams.length} streams: from 1 to ${STREAMS_MAX} can be published`);
    }
    try {
      for (const { url } of streams) parsePublishUrl(url);
      if (file !== null) readFlvLoop(await readFile(file));
      else if (encoder === 'own') throw new TypeError('our own publisher needs a file');
    } catch (error) {
      throw new PublishError(`cannot be published: ${error instanceof Error ? error.message : String(error)}`);
    }
    return new PublisherFleet(options);
  }

  private constructor({ streams, file, encoder, onReport }: FleetOptions) {
    this.#size = streams.length;
    if (onReport !== undefined) this.#listeners.add(onReport);
    const workerData: PublisherTask = { streams, file, encoder };
    this.#worker = new Worker(new URL('./publisher-main.ts', import.meta.url), { workerData });
    this.#worker.on('message', (report: PublisherReport) => {
      if (report.type === 'change') this.#note(report.change);
      for (const listener of this.#listeners) listener(report);
    });
    this.#worker.on('error', (error: Error) => {
      this.#failure = error;
    });
    this.#ended = new Promise((done) => this.#worker.once('exit', () => done()));
  }

  get size(): number {
    return this.#size;
  }

  /** Streams that the server has taken and not lost. */
  get onAir(): number {
    return this.#onAir.size;
  }

  /** Calls it for every report from now on. Returns the unsubscribe. */
  listen(listener: (report: PublisherReport) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when every stream is on air. Throws {@link PublishError} with what the server last said when the time is over. */
  async allOnAir(withinMs: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let reason = 'no answer';
    const check = (): void => {
      if (this.onAir >= this.#size) resolve();
    };
    const forget = this.listen((report) => {
      if (report.type === 'change' && report.change.reason !== '') reason = report.change.reason;
      check();
    });
    const giveUp = (why: string): void =>
      reject(new PublishError(`${this.onAir} of ${this.#size} streams are on air: ${why}`));
    const timer = setTimeout(() => giveUp(reason), withinMs);
    const onAbort = (): void => giveUp('interrupted');
    signal?.addEventListener('abort', onAbort, { once: true });
    void this.#ended.then(() => giveUp(this.#failure?.message ?? 'the publishers ended'));
    check();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      forget();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Every publish ends with a goodbye. */
  stop(): void {
    this.#tell('stop');
  }

  /** After `stop`: the same streams again. */
  start(): void {
    this.#tell('start');
  }

  /** Ends every publish and the thread. May be called more than once. */
  async close(): Promise<void> {
    if (!this.#isClosed) this.#tell('close');
    this.#isClosed = true;
    await this.#ended;
  }

  #tell(type: PublisherMessage['type']): void {
    this.#worker.postMessage({ type } satisfies PublisherMessage);
  }

  #note({ stream, state }: PublisherChange): void {
    if (state === 'on_air') this.#onAir.add(stream);
    else this.#onAir.delete(stream);
  }
}
