/** The network between virtual users and a target: proxies in a thread of their own, one per host and port. */
import { Worker } from 'node:worker_threads';
import type { SelfSample } from '../engine/guard.ts';
import type { TargetDescription } from '../target/target.ts';
import type { Plane } from '../verdict/criterion.ts';
import type { NetworkFault } from './network-fault.ts';

/** Handed to the thread. */
export type NetworkTask = {
  readonly routes: readonly { readonly host: string; readonly port: number }[];
  readonly seed: number;
};
/** To the thread. */
export type NetworkMessage =
  | { readonly type: 'apply'; readonly id: number; readonly route: number; readonly faults: readonly NetworkFault[] }
  | { readonly type: 'close' };
/** From the thread. `atMs` is monotonic. */
export type NetworkReport =
  | { readonly type: 'ready'; readonly ports: readonly number[] }
  | { readonly type: 'applied'; readonly id: number; readonly atMs: number }
  | { readonly type: 'self'; readonly self: SelfSample }
  /** Every connection is cut. */
  | { readonly type: 'closed' };

/** The thread of the proxies is cut off when it has not said by then that it closed them. */
export const CLOSE_MS_MAX = 5000;

/** A plane whose users cannot be led through a proxy. */
export class FaultNetworkError extends Error {
  override readonly name = 'FaultNetworkError';
}

/** Plain URLs only: through a proxy, a certificate would be for another name. */
const PROXIED_PROTOCOLS: readonly string[] = ['http:', 'ws:'];

/** Owned by the run: `close()` cuts every connection. */
export class FaultNetwork {
  readonly #worker: Worker;
  readonly #hosts: readonly string[];
  readonly #ports: readonly number[];
  readonly #pending = new Map<number, PromiseWithResolvers<number>>();
  readonly #closed = Promise.withResolvers<void>();
  #failure: FaultNetworkError | null = null;
  #nextId = 0;

  /** Lets the users of these planes go through proxies. Throws {@link FaultNetworkError}. */
  static async open(
    target: TargetDescription,
    planes: readonly Plane[],
    options: { readonly seed: number; readonly onSelf: (self: SelfSample) => void },
  ): Promise<FaultNetwork> {
    const urls = planes.flatMap((plane) => planeUrls(target, plane));
    const barred = urls.find(({ protocol }) => !PROXIED_PROTOCOLS.includes(protocol));
    if (barred !== undefined) {
      throw new FaultNetworkError(`faults of the network need http: and ws:, not ${barred.protocol}//${barred.host}`);
    }
    const hosts = [...new Set(urls.map(({ host }) => host))];
    const routes = hosts.map((host) => {
      const url = new URL(`http://${host}`);
      return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) };
    });
    const workerData: NetworkTask = { routes, seed: options.seed };
    const worker = new Worker(new URL('./network-main.ts', import.meta.url), { workerData });
    const ready = Promise.withResolvers<readonly number[]>();
    worker.once('error', ready.reject);
    worker.once('message', (report: NetworkReport) => ready.resolve(report.type === 'ready' ? report.ports : []));
    return new FaultNetwork(worker, hosts, await ready.promise, options.onSelf);
  }

  private constructor(
    worker: Worker,
    hosts: readonly string[],
    ports: readonly number[],
    onSelf: (self: SelfSample) => void,
  ) {
    this.#worker = worker;
    this.#hosts = hosts;
    this.#ports = ports;
    worker.on('message', (report: NetworkReport) => {
      if (report.type === 'self') onSelf(report.self);
      if (report.type === 'closed') this.#closed.resolve();
      if (report.type !== 'applied') return;
      this.#pending.get(report.id)?.resolve(report.atMs);
      this.#pending.delete(report.id);
    });
    worker.on('error', (error: Error) => this.#onExit(error.message));
    worker.once('exit', () => this.#onExit('its thread ended'));
  }

  /** The same target, reached through the proxies. */
  through(target: TargetDescription): TargetDescription {
    const rewrite = (value: unknown): unknown => {
      if (typeof value === 'string') return this.#rerouted(value);
      if (Array.isArray(value)) return value.map(rewrite);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rewrite(inner)]));
    };
    // Collectors and the adapter's own requests go straight to the target.
    const { flvUrl, hls, streams, room, shop } = target;
    const reached = rewrite({ flvUrl, hls, room, shop, ...(streams === undefined ? {} : { streams }) });
    return { ...target, ...(reached as Pick<TargetDescription, 'flvUrl' | 'hls' | 'streams' | 'room' | 'shop'>) };
  }

  /** A URL of these planes as users see it, through its proxy. */
  probeUrl(url: URL): URL {
    return new URL(this.#rerouted(url.href));
  }

  /** Replaces the faults of these planes; resolves with the instant (monotonic) from which they hold. */
  async apply(target: TargetDescription, planes: readonly Plane[], faults: readonly NetworkFault[]): Promise<number> {
    const hosts = new Set(planes.flatMap((plane) => planeUrls(target, plane)).map(({ host }) => host));
    const routes = this.#hosts.flatMap((host, route) => (hosts.has(host) ? [route] : []));
    const instants = await Promise.all(routes.map((route) => this.#apply(route, faults)));
    return Math.max(...instants);
  }

  /** Never waits longer than {@link CLOSE_MS_MAX}: a run's figures must not hang on the end of a thread. */
  async close(): Promise<void> {
    this.#worker.postMessage({ type: 'close' } satisfies NetworkMessage);
    const timer = setTimeout(this.#closed.resolve, CLOSE_MS_MAX);
    await this.#closed.promise;
    clearTimeout(timer);
    this.#worker.unref();
    void this.#worker.terminate();
  }

  /** Rejects when the thread is gone. */
  #apply(route: number, faults: readonly NetworkFault[]): Promise<number> {
    const id = this.#nextId++;
    const applied = Promise.withResolvers<number>();
    if (this.#failure !== null) return Promise.reject(this.#failure);
    this.#pending.set(id, applied);
    this.#worker.postMessage({ type: 'apply', id, route, faults } satisfies NetworkMessage);
    return applied.promise;
  }

  #onExit(reason: string): void {
    this.#failure ??= new FaultNetworkError(`the network of faults is gone: ${reason}`);
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
    this.#closed.resolve();
  }

  #rerouted(text: string): string {
    const url = /^(http|ws):\/\//.test(text) ? URL.parse(text) : null;
    const port = url === null ? undefined : this.#ports[this.#hosts.indexOf(url.host)];
    if (url === null || port === undefined) return text;
    return text.replace(/^(\w+:\/\/)[^/?#]+/, (_all, scheme: string) => `${scheme}127.0.0.1:${port}`);
  }
}

/** Every URL at which users reach this plane. */
export function planeUrls(target: TargetDescription, plane: Plane): URL[] {
  const { flvUrl, hls, streams, room, shop } = target;
  const found = { video: httpUrls([flvUrl, hls, streams]), realtime: httpUrls(room), commerce: httpUrls(shop) }[plane];
  return found.map((text) => new URL(text));
}

function httpUrls(value: unknown): string[] {
  if (typeof value === 'string') return /^(https?|wss?):\/\//.test(value) ? [value] : [];
  return value === null || typeof value !== 'object' ? [] : Object.values(value).flatMap(httpUrls);
}
