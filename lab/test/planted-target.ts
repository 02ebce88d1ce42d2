/** Adapter of the platform in `planted-platform.ts`; worker threads load it by its URL. */
import type { ApiAnswer, ApiResult, ApiStep, ShopDialect, TargetAdapter } from '../src/index.ts';

const STARVE_PATH = '/starve';
const STARVE_MS = 600;
let isStarving = false;

/** The adapter. A target whose room is named `starve` blocks the thread of every member: a generator without CPU. */
export const target: TargetAdapter = {
  kind: 'planted',
  detect: (url) =>
    Promise.resolve({
      kind: 'planted',
      url: url.origin,
      planes: ['realtime', 'commerce'],
      subject: 'planted defects',
      flvUrl: null,
      hls: null,
      room: {
        webSocketUrl: `${url.origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
        name: url.pathname,
      },
      shop: { baseUrl: url.origin, show: '', testCard: '' },
      version: null,
    }),
  room: {
    namespaces: ['/talk'],
    auth: () => ({}),
    joins: (room) => {
      if (room === STARVE_PATH && !isStarving) setInterval(starve, STARVE_MS + 100).unref();
      isStarving ||= room === STARVE_PATH;
      return [{ namespace: '/talk', event: 'enter', payload: room }];
    },
    chat: {
      namespace: '/talk',
      send: (_room, text) => ({ event: 'say', payload: text }),
      read: (event, payload) => (event === 'said' ? [{ text: String(payload), order: null }] : null),
    },
    readAck: (answer) => ({
      ok: (answer as { fine: boolean } | undefined)?.fine === true,
      reason: answer === undefined ? 'no_answer' : 'refused',
      isExpected: false,
    }),
  },
  shop: () => dialect,
};

function starve(): void {
  const untilMs = performance.now() + STARVE_MS;
  while (performance.now() < untilMs);
}

const dialect: ShopDialect = {
  signIn: () => step('sign-in', 'write', {}, ({ session }: { session: string }) => session),
  roomToken: () => step('sign-in', 'write', {}, () => 'token'),
  listItems: (session) =>
    step('items', 'read', { session }, ({ units }: { units: number }) => [
      { variantId: 'v', availableUnits: Math.max(units, 1) },
    ]),
  hold: (session) => step('hold', 'write', { session }, readCart),
  release: (session) => step('release', 'write', { session }, readCart),
  checkout: (session, key) =>
    step('checkout', 'write', { session, key }, ({ id }: { id: string }, status) => ({
      id,
      totalMinor: 0,
      isPaid: status === 200,
      isPending: status === 202,
    })),
  listOrders: (session) =>
    step('orders', 'read', { session }, ({ orders }: { orders: string[] }) =>
      orders.map((id) => ({ id, totalMinor: 0, isPaid: true, isPending: false })),
    ),
};

function readCart({ lines, price, total }: { lines: number; price: number; total: number }) {
  return { lineIds: lines > 0 ? ['line'] : [], totalMinor: total, lineSumMinor: lines * price };
}

function step<Body, T>(
  name: string,
  kind: ApiStep<T>['kind'],
  { session = '', key = '' }: { session?: string; key?: string },
  read: (body: Body, status: number) => T,
): ApiStep<T> {
  return {
    name,
    kind,
    request: { method: 'POST', path: `/${name}`, headers: { 'X-Session': session, 'X-Key': key } },
    read: ({ status, body }: ApiAnswer): ApiResult<T> =>
      status === 200 || status === 202
        ? { ok: true, value: read(body as Body, status) }
        : { ok: false, reason: 'sold_out', isExpected: status === 409 },
  };
}
