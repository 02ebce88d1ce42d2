/** HLS delivery on a real listener, fed by a script instead of a publisher: tests say when which part comes. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { createLogger, createMetrics } from '@showfloor/service-kit';
import { TrustedProxies } from '../src/delivery/client-address.ts';
import { FlvDelivery } from '../src/delivery/flv-delivery.ts';
import { VIEWER_LIMITS } from '../src/delivery/flv-viewer.ts';
import { HOLD_LIMITS } from '../src/delivery/hls-channel.ts';
import { HlsDelivery, type HlsDeliveryOptions } from '../src/delivery/hls-delivery.ts';
import { HLS_VIEWERS_LIMITS } from '../src/delivery/hls-viewers.ts';
import { CONNECTION_LIMITS, HttpConnections } from '../src/delivery/http-connections.ts';
import { HttpDelivery } from '../src/delivery/http-delivery.ts';
import type { HlsObject, HlsProblem, HlsWindow } from '../src/hls/hls-packager.ts';
import { GOP_LIMITS } from '../src/hub/gop-cache.ts';
import { StreamHub } from '../src/hub/stream-hub.ts';
import { createMediaMetrics } from '../src/media-metrics.ts';

/** Parts in a segment. */
const PARTS = 5;
const FIRST_MSN = 100;

/** A stream whose parts come when a test says so. Segments have five parts of 200 ms. */
export class ScriptedStream {
  window: HlsWindow | null = null;
  problem: HlsProblem | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #bytesPerPart: number;
  #made = 0;

  constructor(bytesPerPart = 10) {
    this.#bytesPerPart = bytesPerPart;
  }

  object(name: string): HlsObject | 'pending' | undefined {
    if (name === 'r-init-0.mp4') return whole([Buffer.from('init')]);
    const [, msn, part] = /^r-(\d+)(?:\.(\d+))?\.m4s$/.exec(name) ?? [];
    if (msn === undefined) return undefined;
    const first = (Number(msn) - FIRST_MSN) * PARTS;
    if (first < 0 || Number(part ?? 0) >= PARTS) return undefined;
    const wanted = part === undefined ? first + PARTS : first + Number(part) + 1;
    if (wanted > this.#made + 1) return undefined;
    if (wanted > this.#made) return part === undefined ? undefined : 'pending';
    const from = part === undefined ? first : first + Number(part);
    return whole(Array.from({ length: wanted - from }, (_, index) => this.#part(from + index)));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Makes further parts, one after the other. */
  add(parts = 1): void {
    for (let index = 0; index < parts; index += 1) {
      this.#made += 1;
      this.#tell(false);
    }
  }

  end(): void {
    this.#tell(true);
  }

  #part(index: number): Buffer {
    return Buffer.alloc(this.#bytesPerPart, String(index % 10));
  }

  #tell(isEnded: boolean): void {
    const newest = this.#made - 1;
    if (newest >= PARTS - 1) {
      const lastMsn = FIRST_MSN + Math.floor(newest / PARTS);
      const lastPart = newest % PARTS;
      this.window = {
        lastMsn,
        lastPart,
        lastWholeMsn: lastPart === PARTS - 1 ? lastMsn : lastMsn - 1,
        playlist: Buffer.from(`#EXTM3U ${lastMsn}.${lastPart}${isEnded ? ' ended' : ''}\n`),
        multivariant: Buffer.from('#EXTM3U multivariant\n'),
        targetDurationMs: 1_000,
        partTargetMs: 201,
        isEnded,
      };
    }
    for (const listener of this.#listeners) listener();
  }
}

function whole(body: Buffer[]): HlsObject {
  return { body, bytes: body.reduce((sum, part) => sum + part.length, 0) };
}

export type HlsUnderTestOptions = Partial<
  Pick<HlsDeliveryOptions, 'heldMax' | 'hasRoom'> & {
    hold: Partial<HlsDeliveryOptions['hold']>;
    connection: Partial<HlsDeliveryOptions['connection']>;
    viewers: Partial<HlsDeliveryOptions['viewers']>;
    trustedProxies: string;
  }
>;

/** A listener on a free port with streams by name. */
export class HlsUnderTest implements AsyncDisposable {
  readonly streams = new Map<string, ScriptedStream>();
  readonly hls: HlsDelivery;
  readonly connections = new HttpConnections();
  readonly #registry = createMetrics('hls-test');
  readonly #http: HttpDelivery;
  port = 0;

  private constructor(options: HlsUnderTestOptions) {
    const metrics = createMediaMetrics(this.#registry);
    const log = createLogger('hls-test', 'silent');
    const proxies = TrustedProxies.parse(options.trustedProxies ?? '');
    const hasRoom = options.hasRoom ?? (() => true);
    this.hls = new HlsDelivery({
      sources: { find: (playbackId) => this.streams.get(playbackId) },
      connections: this.connections,
      proxies,
      metrics,
      log,
      hasRoom,
      heldMax: options.heldMax ?? 20_000,
      hold: { ...HOLD_LIMITS, ...options.hold },
      connection: { ...CONNECTION_LIMITS, ...options.connection },
      viewers: { ...HLS_VIEWERS_LIMITS, ...options.viewers },
    });
    const flv = new FlvDelivery({
      metrics,
      log,
      gop: GOP_LIMITS,
      viewerLimits: VIEWER_LIMITS,
      merge: 'auto',
      mergeCeilingMs: 100,
      keepAliveMs: 3_000,
    });
    const hub = new StreamHub({ onEvent: () => undefined });
    const { connections, hls } = this;
    this.#http = new HttpDelivery({ hub, flv, hls, connections, proxies, metrics, hasRoom, connectionsMax: 20_000 });
  }

  static async start(options: HlsUnderTestOptions = {}): Promise<HlsUnderTest> {
    const floor = new HlsUnderTest(options);
    floor.port = await floor.#http.listen({ host: '127.0.0.1', port: 0 });
    return floor;
  }

  /** A stream on air with `parts` parts; the first segment has five. */
  onAir(name: string, parts = 5, bytesPerPart = 10): ScriptedStream {
    const stream = new ScriptedStream(bytesPerPart);
    this.streams.set(name, stream);
    stream.add(parts);
    return stream;
  }

  metricsText(): Promise<string> {
    return this.#registry.metrics();
  }

  /** One request on a connection of its own. */
  async get(path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          host: '127.0.0.1',
          port: this.port,
          path,
          agent: false,
          method: options.method ?? 'GET',
          headers: options.headers,
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(parts).toString(),
            }),
          );
        },
      );
      asked.on('error', reject);
      asked.end();
    });
  }

  /** A connection that speaks bytes. */
  async raw(): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: this.port });
    socket.on('error', () => undefined); // cut by the server
    await once(socket, 'connect');
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.close();
  }
}

export type Reply = Readonly<{ status: number; headers: IncomingHttpHeaders; body: string }>;
