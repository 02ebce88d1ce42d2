import { randomUUID } from 'node:crypto';
import type { Cart, Order, Problem, ProductCard, Session, ShowDetail } from '@showfloor/protocol';

/** An answer of the shop: status, the body when it is what was asked for, the problem when it is not. */
export type Answer<T> = {
  readonly status: number;
  readonly body: T;
  /** The same body, when the status says it is a problem document. */
  readonly problem: Problem;
  readonly headers: Headers;
};

export const PAYING_CARD = '4242 4242 4242 4242';
const DECLINED_CARD = '4000 0000 0000 0002';

/** A guest who shops over the HTTP API, as the web app does. */
export class Shopper {
  readonly #webUrl: string;
  readonly #token: string;

  private constructor(webUrl: string, token: string) {
    this.#webUrl = webUrl;
    this.#token = token;
  }

  static async guest(webUrl: string): Promise<Shopper> {
    const answer = await call<Session>(webUrl, 'POST', '/api/auth/guest', {}, {});
    if (answer.status !== 200) throw new Error(`guest answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return new Shopper(webUrl, answer.body.accessToken);
  }

  /** Redeems a one-time link's token: the demo's seller. */
  static async redeem(webUrl: string, token: string): Promise<Shopper> {
    const answer = await call<Session>(webUrl, 'POST', '/api/auth/redeem', { token }, {});
    if (answer.status !== 200) throw new Error(`redeem answered ${answer.status}`);
    return new Shopper(webUrl, answer.body.accessToken);
  }

  /** The same person at the same shop under another address (started again on other ports). */
  movedTo(webUrl: string): Shopper {
    return new Shopper(webUrl, this.#token);
  }

  get<T>(path: string): Promise<Answer<T>> {
    return call<T>(this.#webUrl, 'GET', path, undefined, this.#headers());
  }

  /** Any write; `key` is its Idempotency-Key (a new one by default). */
  send<T>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    key: string = randomUUID(),
  ): Promise<Answer<T>> {
    return call<T>(this.#webUrl, method, path, body, { ...this.#headers(), 'idempotency-key': key });
  }

  hold(variantId: string, key?: string): Promise<Answer<Cart>> {
    return this.send('POST', '/api/cart/lines', { variantId, quantity: 1, playbackId: 'demo' }, key);
  }

  checkout(key?: string, card: string = PAYING_CARD): Promise<Answer<Order>> {
    return this.send('POST', '/api/checkout', { payment: { provider: 'test', card } }, key);
  }

  checkoutDeclined(): Promise<Answer<Order>> {
    return this.checkout(undefined, DECLINED_CARD);
  }

  #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}` };
  }
}

/** The demo show's products. */
export async function demoProducts(webUrl: string): Promise<ProductCard[]> {
  const answer = await call<ShowDetail>(webUrl, 'GET', '/api/shows/demo', undefined, {});
  return answer.body.products;
}

async function call<T>(
  webUrl: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer<T>> {
  const answer = await fetch(`${webUrl}${path}`, {
    method,
    headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await answer.text();
  const parsed: unknown = text === '' ? null : JSON.parse(text);
  return { status: answer.status, body: parsed as T, problem: parsed as Problem, headers: answer.headers };
}
