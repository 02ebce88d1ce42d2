/**
 * A platform of the lab's tests: a real Socket.IO room and a small shop, each able to break a promise that the lab must
 * notice. Its adapter is in `planted-target.ts`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';

/** What it does wrong. */
export type PlantedDefects = {
  /** Every n-th message reaches nobody but its sender. */
  readonly loseEvery?: number;
  /** Every n-th message is sent twice. */
  readonly repeatEvery?: number;
  /** Nobody gets in. */
  readonly refusesJoins?: boolean;
  /** Every n-th message vanishes: it is neither acknowledged nor delivered. */
  readonly swallowEvery?: number;
  /** Every n-th message is refused, out loud. */
  readonly refuseEvery?: number;
  /** Messages are held back for this long. */
  readonly delayMs?: number;
  /** Sells more than there is. */
  readonly oversells?: boolean;
  /** A repeated checkout makes a second order. */
  readonly ignoresKeys?: boolean;
  /** Every n-th request fails with 500. */
  readonly failEvery?: number;
  /** The first n requests fail with 500. */
  readonly failFirst?: number;
  /** A checkout is undecided (202) the first n times that it is asked for. */
  readonly undecided?: number;
  /** Carts cost one more than their lines. */
  readonly miscounts?: boolean;
};

/** The running platform; its owner awaits `close()`. */
export type PlantedPlatform = { readonly url: string; readonly close: () => Promise<void> };

const UNITS = 3;
const PRICE = 500;

/** Starts it on a free loopback port. */
export async function startPlantedPlatform(defects: PlantedDefects): Promise<PlantedPlatform> {
  const shop = new PlantedShop(defects);
  const server = createServer((request, response) => void shop.answer(request, response));
  const io = new Server(server, { serveClient: false });
  let messages = 0;
  io.of('/talk').on('connection', (socket: Socket) => {
    socket.on('enter', (_room: unknown, ack: (answer: unknown) => void) =>
      ack({ fine: defects.refusesJoins !== true }),
    );
    socket.on('say', (text: string, ack: (answer: unknown) => void) => {
      messages += 1;
      const isDue = (every: number | undefined): boolean => every !== undefined && messages % every === 0;
      if (isDue(defects.swallowEvery)) return;
      const isRefused = isDue(defects.refuseEvery);
      ack({ fine: !isRefused });
      if (isRefused) return;
      const isLost = isDue(defects.loseEvery);
      const isTwice = isDue(defects.repeatEvery);
      const say = (): void => {
        if (isLost) socket.emit('said', text);
        else for (let copies = isTwice ? 2 : 1; copies > 0; copies -= 1) io.of('/talk').emit('said', text);
      };
      if (defects.delayMs === undefined) say();
      else setTimeout(say, defects.delayMs);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      await io.close();
    },
  };
}

class PlantedShop {
  readonly #defects: PlantedDefects;
  readonly #carts = new Map<string, number>();
  readonly #orders = new Map<string, { id: string; key: string }[]>();
  readonly #asked = new Map<string, number>();
  #units = UNITS;
  #requests = 0;
  #ids = 0;

  constructor(defects: PlantedDefects) {
    this.#defects = defects;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for await (const _chunk of request); // bodies say nothing here
    this.#requests += 1;
    const { failEvery, failFirst = 0 } = this.#defects;
    const isFailing = this.#requests <= failFirst || (failEvery !== undefined && this.#requests % failEvery === 0);
    const [status, body] = isFailing ? [500, {}] : this.#route(request);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }

  #route({ url = '', headers }: IncomingMessage): [number, unknown] {
    const session = String(headers['x-session'] ?? '');
    const key = String(headers['x-key'] ?? '');
    if (url === '/sign-in') return [200, { session: this.#newId() }];
    if (url === '/items') return [200, { units: this.#units }];
    if (url === '/hold') return this.#hold(session);
    if (url === '/release') return this.#release(session);
    if (url === '/checkout') return this.#checkout(session, key);
    return [200, { orders: (this.#orders.get(session) ?? []).map(({ id }) => id) }];
  }

  #hold(session: string): [number, unknown] {
    if (this.#units === 0 && this.#defects.oversells !== true) return [409, { reason: 'sold_out' }];
    // The oversell is quiet: stock is shown as it should be, units are handed out all the same.
    if (this.#defects.oversells !== true) this.#units -= 1;
    this.#carts.set(session, (this.#carts.get(session) ?? 0) + 1);
    const lines = this.#carts.get(session) ?? 0;
    return [200, { lines, price: PRICE, total: lines * PRICE + (this.#defects.miscounts === true ? 1 : 0) }];
  }

  #release(session: string): [number, unknown] {
    if (this.#defects.oversells !== true) this.#units += this.#carts.get(session) ?? 0;
    this.#carts.delete(session);
    return [200, { lines: 0, price: PRICE, total: 0 }];
  }

  #checkout(session: string, key: string): [number, unknown] {
    const asked = this.#asked.get(key) ?? 0;
    this.#asked.set(key, asked + 1);
    if (asked < (this.#defects.undecided ?? 0)) return [202, { id: `order-${key}` }];
    const orders = this.#orders.get(session) ?? [];
    const known = orders.find((order) => order.key === key);
    if (known !== undefined && this.#defects.ignoresKeys !== true) return [200, { id: known.id }];
    const isSecond = known !== undefined;
    const order = { id: isSecond ? this.#newId() : `order-${key}`, key };
    this.#orders.set(session, [...orders, order]);
    this.#carts.delete(session);
    return [200, { id: order.id }];
  }

  #newId(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }
}
