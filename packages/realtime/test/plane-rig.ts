import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIVE_EVENTS_PATH, type LiveEvent, ROOM_TOKEN, type Role, type SessionRevoked } from '@showfloor/protocol';
import {
  createLogger,
  createMetrics,
  createTokenSigner,
  loadSecrets,
  type Registry,
  type Secrets,
  signWebhook,
} from '@showfloor/service-kit';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { type RealtimeOptions, type RealtimePlane, startRealtimePlane } from '../src/index.ts';

export type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** A plane on a free port with its own data folder, and clients for it. `close` ends both. */
export type Rig = {
  readonly url: string;
  readonly dataDir: string;
  readonly secrets: Secrets;
  readonly registry: Registry;
  /** A client on one namespace; a connection of its own unless `manager` shares one. Closed with the rig. */
  readonly client: (namespace: string, options?: ClientOptions) => Socket;
  /** A room token as commerce makes it. */
  readonly roomToken: (user?: {
    readonly sub?: string;
    readonly name?: string;
    readonly role?: Role;
  }) => Promise<string>;
  /** Delivers a signed event; resolves with the HTTP status and the result in the answer. */
  readonly deliver: (event: LiveEvent | SessionRevoked) => Promise<{ status: number; result: string }>;
  /** The value of one metric by its full name, summed over labels that contain `labels`. */
  readonly metric: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>;
  readonly close: () => Promise<void>;
};

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'realtime-plane-'));
}

export async function startRig(options: Partial<RealtimeOptions> = {}): Promise<Rig> {
  const dataDir = options.dataDir ?? temporaryFolder();
  const secrets = loadSecrets(dataDir);
  const registry = createMetrics('realtime');
  const log = createLogger('realtime', 'silent');
  const plane: RealtimePlane = await startRealtimePlane({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    secrets,
    registry,
    log,
    ...options,
  });
  return {
    ...(await rigFor(`http://127.0.0.1:${plane.port}`, dataDir, plane.close)),
    registry,
    metric: reader(registry),
  };
}

/** The clients' half of a rig, for a plane that runs elsewhere. */
export async function rigFor(
  url: string,
  dataDir: string,
  stop: () => Promise<void>,
): Promise<Omit<Rig, 'registry' | 'metric'>> {
  const secrets = loadSecrets(dataDir);
  const sign = await createTokenSigner(secrets.tokenPrivateKeyPem);
  const clients = new Set<Socket>();
  return {
    url,
    dataDir,
    secrets,
    client: (namespace, clientOptions = {}) => {
      const socket = io(`${url}${namespace}`, { transports: ['websocket'], forceNew: true, ...clientOptions });
      clients.add(socket);
      return socket;
    },
    roomToken: ({ sub = randomUUID(), name = 'Ana', role = 'buyer' } = {}) =>
      sign(ROOM_TOKEN, { sub, name, role }, 900),
    deliver: async (event) => {
      const body = JSON.stringify(event);
      const headers = { ...signWebhook(secrets.webhookSecret, event.id, Date.now(), body) };
      const response = await fetch(url + LIVE_EVENTS_PATH, { method: 'POST', headers, body });
      const { result } = (await response.json()) as { result: string };
      return { status: response.status, result };
    },
    close: async () => {
      for (const socket of clients) socket.disconnect();
      await stop();
    },
  };
}

function reader(registry: Registry): Rig['metric'] {
  return async (name, labels = {}) => {
    const metric = await registry.getSingleMetric(name)?.get();
    const values = (metric?.values ?? []) as { value: number; labels: Record<string, unknown>; metricName?: string }[];
    return values
      .filter((entry) => entry.metricName === undefined || entry.metricName === `${name}_count`)
      .filter((entry) => Object.entries(labels).every(([label, value]) => entry.labels[label] === value))
      .reduce((sum, entry) => sum + entry.value, 0);
  };
}

/** The first payload of `event` after now; rejects after `timeoutMs`. */
export function next<T>(socket: Socket, event: string, timeoutMs = 5_000): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} within ${timeoutMs} ms`)), timeoutMs);
    socket.once(event, (payload: T) => {
      clearTimeout(timer);
      resolve(payload);
    });
  });
}

/** Waits until `condition` holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 5_000,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Asks and waits for the acknowledgement. */
export async function ask<T = Record<string, unknown>>(
  socket: Socket,
  event: string,
  payload: unknown,
): Promise<T & { ok: boolean; reason?: string; retryAfterMs?: number }> {
  return socket.timeout(5_000).emitWithAck(event, payload) as Promise<
    T & { ok: boolean; reason?: string; retryAfterMs?: number }
  >;
}

let sent = 0;
/** A `chat:send` payload with a client id of its own. */
export function message(liveId: string, text: string): { liveId: string; message: string; clientId: string } {
  sent += 1;
  return { liveId, message: text, clientId: `client-${process.pid}-${sent}` };
}

/** The envelope of an event that happens now. */
export function envelope<T extends string>(type: T, playbackId = 'demo', atMs = Date.now()) {
  return { id: `evt-${randomUUID()}`, version: 1 as const, playbackId, atMs, type };
}
