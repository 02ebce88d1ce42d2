/**
 * A TCP proxy on this host that can behave like a bad network. It stands between virtual users and a target, so that
 * faults need neither root nor a kernel module. Not delayed: the connection to the proxy itself (a kernel makes it).
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createRandom } from '../engine/random.ts';
import { FaultyPipe, type PipeTotals } from './faulty-pipe.ts';
import { type NetworkFault, shapeOf } from './network-fault.ts';
import { resetSocket } from './reset-socket.ts';

/** Where it connects to. Bounds have defaults. */
export type TcpProxyOptions = {
  readonly host: string;
  readonly port: number;
  /** Of jitter. */
  readonly seed: number;
  /** Per connection and direction; default {@link QUEUE_BYTES_MAX}. */
  readonly queueBytesMax?: number;
  /** Further connections are reset and counted; default {@link CONNECTIONS_MAX}. */
  readonly connectionsMax?: number;
};

/** 3 s of delay at 20 Mbit/s fit in; a slower reader then slows the sender down. */
export const QUEUE_BYTES_MAX = 8 * 1024 * 1024;
/** Connections at a time. */
export const CONNECTIONS_MAX = 20_000;
const BACKLOG = 4096;

/** What went through so far. */
export type TcpProxyStats = Readonly<
  PipeTotals & {
    openConnections: number;
    acceptedConnections: number;
    refusedConnections: number;
    /** The target could not be reached. */
    failedConnections: number;
  }
>;

/** A listening proxy; its owner awaits `close()`. */
export class TcpProxy {
  readonly #options: TcpProxyOptions;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #counts = { acceptedConnections: 0, refusedConnections: 0, failedConnections: 0 };
  readonly #totals: PipeTotals = { bytes: 0, backPressurePauses: 0, queueBytesPeak: 0 };
  #faults: readonly NetworkFault[] = [];
  #isClosed = false;

  constructor(options: TcpProxyOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  /** Starts one on a free loopback port. */
  static async open(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    await new Promise<void>((done, fail) => {
      proxy.#server.once('error', fail);
      proxy.#server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, done);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get stats(): TcpProxyStats {
    return { ...this.#totals, ...this.#counts, openConnections: this.#links.size };
  }

  /** Replaces the faults; none: a healthy network. Works on open connections and on new ones. */
  apply(faults: readonly NetworkFault[]): void {
    this.#faults = faults;
    for (const link of this.#links) link.apply(faults);
  }

  /** Cuts every connection. */
  close(): Promise<void> {
    this.#isClosed = true;
    for (const link of this.#links) link.reset();
    return new Promise((done) => this.#server.close(() => done()));
  }

  #accept(client: Socket): void {
    if (this.#isClosed || this.#links.size >= (this.#options.connectionsMax ?? CONNECTIONS_MAX)) {
      this.#counts.refusedConnections += 1;
      client.on('error', () => {});
      resetSocket(client);
      return;
    }
    const number = this.#counts.acceptedConnections;
    this.#counts.acceptedConnections += 1;
    const link = new Link(client, {
      ...this.#options,
      number,
      totals: this.#totals,
      onDialFailed: () => {
        this.#counts.failedConnections += 1;
      },
      onClosed: () => this.#links.delete(link),
    });
    this.#links.add(link);
    link.apply(this.#faults);
  }
}

type LinkOptions = TcpProxyOptions & {
  readonly number: number;
  readonly totals: PipeTotals;
  readonly onDialFailed: () => void;
  readonly onClosed: () => void;
};

/** What a client may send before the target is reached; more waits in the kernel. */
const EARLY_BYTES_MAX = 65_536;

/** One connection of a client, and the one to the target that it stands for. */
class Link {
  readonly #client: Socket;
  readonly #options: LinkOptions;
  #target: Socket | null = null;
  #early: Buffer[] = [];
  #pipes: { readonly toTarget: FaultyPipe; readonly toClient: FaultyPipe } | null = null;
  #faults: readonly NetworkFault[] = [];
  #hasTimedOut = false;

  constructor(client: Socket, options: LinkOptions) {
    this.#client = client;
    this.#options = options;
    client.on('error', () => {}); // `close` follows
    client.once('close', () => this.#onClosed());
    client.on('data', this.#onEarlyBytes);
    client.once('end', this.#onEarlyEnd);
  }

  apply(faults: readonly NetworkFault[]): void {
    this.#faults = faults;
    const isTimedOut = faults.some(({ kind }) => kind === 'timeout');
    if (faults.some(({ kind }) => kind === 'reset') || (this.#hasTimedOut && !isTimedOut)) {
      this.reset();
      return;
    }
    this.#hasTimedOut ||= isTimedOut;
    const [toTarget, toClient] = [shapeOf(faults, 'to-target'), shapeOf(faults, 'to-client')];
    // A handshake needs both ways.
    if (this.#target === null && !toTarget.isHeld && !toClient.isHeld) this.#dial();
    this.#pipes?.toTarget.setShape(toTarget);
    this.#pipes?.toClient.setShape(toClient);
  }

  reset(): void {
    resetSocket(this.#client);
    if (this.#target !== null) resetSocket(this.#target);
  }

  readonly #onEarlyBytes = (bytes: Buffer): void => {
    this.#early.push(bytes);
    if (this.#early.reduce((sum, { length }) => sum + length, 0) >= EARLY_BYTES_MAX) this.#client.pause();
  };

  /** Whoever leaves before the target is reached was never there. */
  readonly #onEarlyEnd = (): void => {
    this.#client.destroy();
  };

  #dial(): void {
    const { host, port } = this.#options;
    const target = connect({ host, port, allowHalfOpen: true, noDelay: true });
    this.#target = target;
    target.on('error', () => {}); // `close` follows
    target.once('close', () => {
      if (this.#pipes === null) {
        if (!this.#client.destroyed) this.#options.onDialFailed();
        resetSocket(this.#client); // a dead server, as seen through a proxy
      }
      this.#onClosed();
    });
    target.once('connect', () => this.#join(target));
  }

  #join(target: Socket): void {
    const { seed, number, totals, queueBytesMax = QUEUE_BYTES_MAX } = this.#options;
    this.#client.off('data', this.#onEarlyBytes).off('end', this.#onEarlyEnd);
    const pipe = (source: Socket, sink: Socket, name: string): FaultyPipe =>
      new FaultyPipe({ source, sink, totals, queueBytesMax, random: createRandom(seed, `${name} ${number}`) });
    const toTarget = pipe(this.#client, target, 'up');
    this.#pipes = { toTarget, toClient: pipe(target, this.#client, 'down') };
    this.apply(this.#faults);
    for (const bytes of this.#early) toTarget.take(bytes);
    this.#early = [];
    this.#client.resume();
  }

  /** The pipes tell one side that the other is gone; the link is over when both are. */
  #onClosed(): void {
    if (!this.#client.destroyed) return;
    if (this.#target?.connecting === true) this.#target.destroy(); // the client did not wait
    if (this.#target !== null && !this.#target.destroyed) return;
    this.#pipes?.toClient.dispose();
    this.#pipes?.toTarget.dispose();
    this.#options.onClosed();
  }
}
