/** Showfloor itself. The only file of the lab that knows Showfloor's protocol; the types make it a contract test too. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AddCartLine,
  Cart,
  ChatJoin,
  ChatSend,
  ChatServerEvents,
  Checkout,
  ClientConfig,
  NewShow,
  Order,
  Problem,
  Reason,
  RoomJoin,
  RoomToken,
  Session,
  ShowDetail,
  ShowList,
  ShowSummary,
  SocketAuth,
  StreamingServerEvents,
  StreamKey,
} from '@showfloor/protocol';
import {
  type ApiAnswer,
  type ApiResult,
  type ApiStep,
  boundedText,
  detectHls,
  type MadeStream,
  type MadeStreams,
  type RoomDialect,
  type ShopCart,
  type ShopDialect,
  type ShopOrder,
  type ShowChange,
  type TargetAdapter,
  type TargetDescription,
  type TargetSource,
  TargetUnreachableError,
} from '../src/index.ts';

const DETECT_TIMEOUT_MS = 5000;

/** Refusals that shoppers and chatters of a healthy shop meet. */
const EXPECTED_REASONS: readonly Reason[] = ['insufficient_stock', 'hold_limit', 'rate_limited', 'payment_declined'];

async function detect(url: URL): Promise<TargetDescription | null> {
  const config = await getJson<ClientConfig>(new URL('/api/client-config', url));
  if (config?.version !== 1 || typeof config.video?.baseUrl !== 'string') return null;
  const active = await getJson<ShowList>(new URL('/api/streaming/active', config.commerce.baseUrl));
  const show = active?.shows[0];
  if (show === undefined) {
    throw new TargetUnreachableError(`${url.origin} is Showfloor, but no show is on air: start one, then run again`);
  }
  const socket = new URL(`${config.realtime.path}/?EIO=4&transport=websocket`, config.realtime.baseUrl);
  socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    kind: 'showfloor',
    url: url.origin,
    planes: ['video', 'realtime', 'commerce'],
    subject: `show ${show.playbackId}`,
    flvUrl: `${config.video.baseUrl}/live/${show.playbackId}.flv`,
    hls: await detectHls(`${config.video.baseUrl}/live/${show.playbackId}.m3u8`),
    room: { webSocketUrl: socket.href, name: show.playbackId },
    shop: { baseUrl: config.commerce.baseUrl, show: show.playbackId, testCard: config.payment.testCard },
    version: null,
    sources: sourcesOf(config),
  };
}

/** Ports of `npm start`: a plane on its own default has its admin listener on the one beside it. */
const ADMIN_PORTS = [
  { name: 'commerce-server', port: 3000, adminPort: 3010 },
  { name: 'worker', port: 3000, adminPort: 3012 },
  { name: 'realtime-server', port: 3001, adminPort: 3011 },
  { name: 'media-server', port: 8080, adminPort: 1985 },
] as const;
const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])$/;

/** On another machine only the address that anybody may ask; on this one its processes, and metrics at the default ports. */
function sourcesOf({ commerce, realtime, video }: ClientConfig): TargetSource[] {
  const urls = {
    commerce: new URL(commerce.baseUrl),
    realtime: new URL(realtime.baseUrl),
    video: new URL(video.baseUrl),
  };
  const ready = new URL('/api/health/ready', urls.commerce);
  const sources: TargetSource[] = [{ kind: 'health', name: 'showfloor', where: ready.href }];
  if (!Object.values(urls).every(({ hostname }) => LOOPBACK.test(hostname))) return sources;
  const listening = { 'commerce-server': urls.commerce, 'realtime-server': urls.realtime, 'media-server': urls.video };
  for (const [name, { port }] of Object.entries(listening))
    sources.push({ kind: 'process', name, where: `port=${port}` });
  // The worker listens to nobody outside; PostgreSQL, where it is the embedded one, has the same parent.
  sources.push({ kind: 'process', name: 'worker', where: `apps/worker/src/main beside port=${urls.commerce.port}` });
  sources.push({ kind: 'process', name: 'postgres', where: `postgres -D beside port=${urls.commerce.port}` });
  const ports = Object.values(urls).map(({ port }) => Number(port));
  for (const { name, port, adminPort } of ADMIN_PORTS) {
    if (ports.includes(port))
      sources.push({ kind: 'prometheus', name, where: `http://127.0.0.1:${adminPort}/metrics` });
  }
  if (ports.includes(8080)) sources.push({ kind: 'srs', name: 'media-server', where: 'http://127.0.0.1:1985' });
  return sources;
}

/** Null when there is an answer, but not this one. Throws when there is none. */
async function getJson<T>(url: URL): Promise<T | null> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(DETECT_TIMEOUT_MS) });
  } catch (error) {
    const cause = error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : '';
    throw new TargetUnreachableError(`${url.origin} does not answer (${cause}): is it running?`);
  }
  if (!response.ok) return null;
  try {
    return JSON.parse(await boundedText(response)) as T;
  } catch {
    return null; // some other server's page
  }
}

const SHOW_STATES: Readonly<Partial<Record<keyof StreamingServerEvents, ShowChange['state']>>> = {
  'stream:started': 'live',
  'stream:interrupted': 'interrupted',
  'stream:resumed': 'resumed',
  'stream:ended': 'ended',
};

const room: RoomDialect = {
  namespaces: ['/', '/chat', '/streaming'],
  auth: (token) => (token === null ? {} : { token }) satisfies SocketAuth,
  joins: (name) => [
    { namespace: '/', event: 'stream:join', payload: { playbackId: name } satisfies RoomJoin },
    { namespace: '/chat', event: 'chat:join', payload: { liveId: name } satisfies ChatJoin },
    { namespace: '/streaming', event: 'stream:viewer:join', payload: { playbackId: name } satisfies RoomJoin },
  ],
  chat: {
    namespace: '/chat',
    send: (name, text, clientId) => ({
      event: 'chat:send',
      payload: { liveId: name, message: text, clientId } satisfies ChatSend,
    }),
    read: (event, payload) => {
      if (event !== ('chat:messages' satisfies keyof ChatServerEvents)) return null;
      const { messages } = payload as Parameters<ChatServerEvents['chat:messages']>[0];
      return messages.map(({ message, seq }) => ({ text: message, order: seq }));
    },
  },
  readShow: (event, payload) => {
    const state = SHOW_STATES[event as keyof StreamingServerEvents];
    if (state === undefined) return null;
    const { graceEndsAtMs } = payload as { readonly graceEndsAtMs?: number | null };
    return { state, graceEndsAtWallMs: graceEndsAtMs ?? null };
  },
  readAck: (answer) => {
    if (answer === undefined) return { ok: false, reason: 'no_answer', isExpected: false };
    const { ok, reason } = answer as { ok: boolean; reason?: Reason };
    return { ok, reason: reason ?? '', isExpected: reason !== undefined && EXPECTED_REASONS.includes(reason) };
  },
};

function shop(target: TargetDescription): ShopDialect {
  const show = target.shop?.show ?? '';
  const card = target.shop?.testCard ?? '';
  return {
    signIn: (displayName) =>
      step('guest', 'write', 'POST', '/api/auth/guest', {
        body: { displayName },
        read: ({ accessToken }: Session) => accessToken,
      }),
    roomToken: (session) =>
      step('room-token', 'write', 'POST', '/api/auth/room-token', { session, read: ({ token }: RoomToken) => token }),
    listItems: (session) =>
      step('show', 'read', 'GET', `/api/shows/${show}`, {
        session,
        read: ({ products }: ShowDetail) =>
          products.flatMap(({ variants }) =>
            variants.map(({ id, availableUnits }) => ({ variantId: id, availableUnits })),
          ),
      }),
    hold: (session, variantId, idempotencyKey) =>
      step('hold', 'write', 'POST', '/api/cart/lines', {
        session,
        idempotencyKey,
        body: { variantId, quantity: 1, playbackId: show } satisfies AddCartLine,
        read: readCart,
      }),
    release: (session, lineId) =>
      step('release', 'write', 'DELETE', `/api/cart/lines/${lineId}`, { session, read: readCart }),
    checkout: (session, idempotencyKey) =>
      step('checkout', 'write', 'POST', '/api/checkout', {
        session,
        idempotencyKey,
        body: { email: 'lab@example.com', payment: { provider: 'test', card } } satisfies Checkout,
        read: readOrder,
      }),
    listOrders: (session) =>
      step('orders', 'read', 'GET', '/api/orders', {
        session,
        read: ({ orders }: { orders: Order[] }) => orders.map(readOrder),
      }),
  };
}

function readCart({ lines, totalMinor }: Cart): ShopCart {
  const lineSumMinor = lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0);
  return { lineIds: lines.map(({ id }) => id), totalMinor, lineSumMinor };
}

function readOrder({ id, totalMinor, status }: Order): ShopOrder {
  return { id, totalMinor, isPaid: status === 'paid', isPending: status === 'pending_payment' };
}

type StepParts<Body, T> = {
  readonly session?: string;
  readonly idempotencyKey?: string;
  readonly body?: unknown;
  readonly read: (body: Body) => T;
};

function step<Body, T>(
  name: string,
  kind: ApiStep<T>['kind'],
  method: ApiStep<T>['request']['method'],
  path: string,
  parts: StepParts<Body, T>,
): ApiStep<T> {
  const headers = {
    ...(parts.session === undefined ? {} : { Authorization: `Bearer ${parts.session}` }),
    ...(parts.idempotencyKey === undefined ? {} : { 'Idempotency-Key': parts.idempotencyKey }),
  };
  return {
    name,
    kind,
    request: { method, path, headers, ...(parts.body === undefined ? {} : { body: parts.body }) },
    read: (answer) => readAnswer(answer, parts.read),
  };
}

function readAnswer<Body, T>({ status, body }: ApiAnswer, read: (body: Body) => T): ApiResult<T> {
  if (status >= 200 && status < 300) {
    try {
      return { ok: true, value: read(body as Body) };
    } catch {
      return { ok: false, reason: 'malformed_answer', isExpected: false };
    }
  }
  const reason = (body as Problem | null)?.reason ?? 'bad_request';
  return { ok: false, reason, isExpected: EXPECTED_REASONS.includes(reason) };
}

const clock = step('clock', 'read', 'GET', '/api/client-config', {
  read: ({ serverNowMs }: ClientConfig) => serverNowMs,
});

const REFUSED_WAIT_MS_MAX = 30_000;

/** Shows of the seller's, one per stream, each with a key of its own; they end with the run. */
async function makeStreams(url: URL, count: number, seller: string): Promise<MadeStreams> {
  const config = await getJson<ClientConfig>(new URL('/api/client-config', url));
  if (config?.version !== 1) throw new TargetUnreachableError(`${url.origin} is no Showfloor: it makes no streams`);
  const session = await send<Session>(
    url,
    `/api/auth/${seller.includes('@') ? 'sign-in' : 'redeem'}`,
    null,
    bodyOf(seller),
  );
  const made: { readonly id: string; readonly stream: MadeStream }[] = [];
  const close = async (): Promise<void> => {
    for (const { id } of made) await send(url, `/api/shows/${id}/stop`, session).catch(() => {}); // over already
  };
  try {
    for (let number = 1; number <= count; number += 1) {
      const title = `Lab ${number} of ${count}`;
      const show = await send<ShowSummary>(url, '/api/shows', session, { title } satisfies NewShow);
      const { server, streamKey } = await send<StreamKey>(url, `/api/shows/${show.id}/stream-key`, session);
      const watch = `${config.video.baseUrl}/live/${show.playbackId}`;
      const publishUrl = `${server}/${streamKey}`;
      const stream = { name: show.playbackId, publishUrl, flvUrl: `${watch}.flv`, hlsUrl: `${watch}.m3u8` };
      made.push({ id: show.id, stream });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { streams: made.map(({ stream }) => stream), close };
}

/** A one-time link (or its token), or email:password. */
function bodyOf(seller: string): object {
  if (!seller.includes('@')) return { token: /token=([\w-]+)/.exec(seller)?.[1] ?? seller };
  const [email = '', ...password] = seller.split(':');
  return { email, password: password.join(':') };
}

/** A POST of the seller's. A rate limit is waited out. Throws TargetUnreachableError with what the API said. */
async function send<T>(url: URL, path: string, session: Session | null, body?: object): Promise<T> {
  const key = randomUUID();
  for (let waitedMs = 0; ; ) {
    const response = await fetch(new URL(path, url), {
      method: 'POST',
      headers: {
        'idempotency-key': key,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(session === null ? {} : { authorization: `Bearer ${session.accessToken}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(DETECT_TIMEOUT_MS),
    });
    if (response.ok) return (await response.json()) as T;
    const { reason, title } = (await response.json().catch(() => ({}))) as Partial<Problem>;
    const waitMs = 1000 * (Number(response.headers.get('retry-after')) || 1); // a date, or nothing, is a second
    if (response.status !== 429 || waitedMs + waitMs > REFUSED_WAIT_MS_MAX) {
      throw new TargetUnreachableError(
        `${path} answered ${response.status} (${reason ?? title ?? 'no reason'}): is --seller a fresh sign-in link, or email:password of a seller?`,
      );
    }
    waitedMs += waitMs;
    await sleep(waitMs);
  }
}

/** The adapter. */
export const target: TargetAdapter = { kind: 'showfloor', detect, room, shop, clock, makeStreams };
