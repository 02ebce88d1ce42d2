import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cart, NewProduct, Order, Problem, ProductCard, Session, ShowSummary } from '@showfloor/protocol';
import {
  createMetrics,
  type Logger,
  loadSecrets,
  type Registry,
  type Secrets,
  signWebhook,
} from '@showfloor/service-kit';
import { storeOneTimeLink } from '../src/accounts/one-time-links.ts';
import { insertUser } from '../src/accounts/users.ts';
import {
  type CommerceServer,
  type CommerceServerOptions,
  createCommerceServer,
  createPool,
  createTestProvider,
  guardProvider,
  type PaymentProvider,
} from '../src/index.ts';
import { createTestDatabase, silentLog, type TestDatabase } from './test-database.ts';

export type Answer<T> = { readonly status: number; readonly body: T; readonly headers: Headers; readonly text: string };
export type ShopOptions = Partial<
  Pick<CommerceServerOptions, 'holdRules' | 'rates' | 'trustedProxies' | 'hookSecret' | 'outbound'>
> & {
  readonly log?: Logger;
  readonly origin?: string;
  readonly webDir?: string;
  /** Stands in for the payment provider; it is given the real one. */
  readonly provider?: (real: PaymentProvider) => PaymentProvider;
  /** Use this database instead of a fresh one; the caller closes it. */
  readonly database?: TestDatabase;
};

/** A commerce server on a free port with a database of its own, spoken to over HTTP. `close` leaves nothing behind. */
export type TestShop = {
  readonly url: string;
  readonly server: CommerceServer;
  readonly database: TestDatabase;
  readonly provider: PaymentProvider;
  readonly registry: Registry;
  readonly secrets: Secrets;
  readonly call: <T = Problem>(method: string, path: string, options?: CallOptions) => Promise<Answer<T>>;
  /** A request as one of our own processes signs it. */
  readonly callSigned: <T = Problem>(path: string, body: unknown) => Promise<Answer<T>>;
  readonly guest: () => Promise<Buyer>;
  readonly seller: () => Promise<Seller>;
  readonly close: () => Promise<void>;
};
/** What a refused request carries, beside the body of one that was not (a status says which it is). */
export type Refusal = Pick<Problem, 'reason' | 'detail'>;
export type CallOptions = {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};

const UNLIMITED = 1_000_000;

export async function startShop(options: ShopOptions = {}): Promise<TestShop> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sf-shop-'));
  const database = options.database ?? (await createTestDatabase());
  const log = options.log ?? silentLog;
  const secrets = loadSecrets(dataDir);
  const registry = createMetrics('test');
  const pool = createPool({ url: database.url, poolMax: 4, applicationName: 'test-provider', log });
  const real = guardProvider(createTestProvider(pool), {});
  const provider = options.provider?.(real) ?? real;
  const server = await createCommerceServer({
    database,
    provider,
    secrets,
    registry,
    log,
    webDir: options.webDir ?? dataDir,
    urls: {
      origin: options.origin ?? '',
      videoUrl: '',
      realtimeUrl: '',
      rtmpUrl: '',
      realtimePort: 3001,
      videoPort: 8080,
      rtmpPort: 1935,
    },
    graceSeconds: 120,
    rates: { auth: UNLIMITED, guest: UNLIMITED, api: UNLIMITED, ...options.rates },
    ...(options.hookSecret === undefined ? {} : { hookSecret: options.hookSecret }),
    ...(options.outbound === undefined ? {} : { outbound: options.outbound }),
    ...(options.holdRules === undefined ? {} : { holdRules: options.holdRules }),
    ...(options.trustedProxies === undefined ? {} : { trustedProxies: options.trustedProxies }),
  });
  const url = `http://127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 })}`;
  const call = <T>(method: string, path: string, with_: CallOptions = {}): Promise<Answer<T>> =>
    request<T>(url, method, path, with_);
  return {
    url,
    server,
    database,
    provider,
    registry,
    secrets,
    call,
    callSigned: (path, body) => {
      const text = JSON.stringify(body);
      const id = (body as { id?: string }).id ?? crypto.randomUUID();
      return call('POST', path, { body, headers: { ...signWebhook(secrets.webhookSecret, id, Date.now(), text) } });
    },
    guest: async () => new Buyer(call, await sessionOf(call('POST', '/api/auth/guest', { body: {} }))),
    seller: async () => {
      const user = await insertUser(database.kysely, {
        display_name: 'Seller',
        role: 'seller',
        email: null,
        password_hash: null,
      });
      const token = crypto.randomUUID();
      await storeOneTimeLink(database.kysely, { token, userId: user.id, purpose: 'test', lifeSeconds: 60 });
      return new Seller(call, await sessionOf(call('POST', '/api/auth/redeem', { body: { token } })));
    },
    close: async () => {
      await server.close();
      await provider.close();
      if (options.database === undefined) await database.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function sessionOf(answer: Promise<Answer<Session>>): Promise<Session> {
  const { status, body, text } = await answer;
  if (status !== 200) throw new Error(`signing in answered ${status}: ${text}`);
  return body;
}

async function request<T>(url: string, method: string, path: string, options: CallOptions): Promise<Answer<T>> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') === true;
  return { status: answer.status, headers: answer.headers, text, body: (isJson ? JSON.parse(text) : null) as T };
}

type Call = TestShop['call'];
export const PAYING_CARD = '4242 4242 4242 4242';
export const DECLINED_CARD = '4000 0000 0000 0002';

export class Buyer {
  readonly session: Session;
  readonly #call: Call;
  constructor(call: Call, session: Session) {
    this.#call = call;
    this.session = session;
  }
  get id(): string {
    return this.session.user.id;
  }
  send<T = Problem>(method: string, path: string, body?: unknown, key?: string): Promise<Answer<T>> {
    return this.#call<T>(method, path, {
      token: this.session.accessToken,
      ...(body === undefined ? {} : { body }),
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    });
  }
  hold(variantId: string, quantity = 1, key?: string): Promise<Answer<Cart & Refusal>> {
    return this.send('POST', '/api/cart/lines', { variantId, quantity }, key);
  }
  cart(): Promise<Answer<Cart>> {
    return this.send('GET', '/api/cart');
  }
  pay(
    card = PAYING_CARD,
    key: string = crypto.randomUUID(),
    agreed: { expectedTotalMinor?: number; currency?: string } = {},
  ): Promise<Answer<Order & Refusal>> {
    return this.send('POST', '/api/checkout', { payment: { provider: 'test', card }, ...agreed }, key);
  }
}

export class Seller extends Buyer {
  async show(): Promise<ShowSummary> {
    return (await this.send<ShowSummary>('POST', '/api/shows', { title: 'A show' })).body;
  }
  /** A product with one variant per number of units. */
  async product(...units: number[]): Promise<ProductCard> {
    const product: NewProduct = {
      title: 'A product',
      currency: 'EUR',
      variants: units.map((onHandUnits, index) => ({
        title: `Variant ${index}`,
        sku: `SKU-${index}`,
        priceMinor: 1000 + index,
        onHandUnits,
      })),
    };
    return (await this.send<ProductCard>('POST', '/api/products', product)).body;
  }
  /** The id of the only variant of a new product. */
  async variant(units: number): Promise<string> {
    const id = (await this.product(units)).variants[0]?.id;
    if (id === undefined) throw new Error('the product was not created');
    return id;
  }
}
