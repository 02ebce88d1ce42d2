import type {
  AddCartLine,
  Cart,
  Checkout,
  ClientConfig,
  Order,
  RoomToken,
  Session,
  ShowDetail,
  ShowList,
} from '@showfloor/protocol';
import { guestName } from '../chat/guest-name.ts';
import { request } from './http.ts';
import { serverClock } from './server-clock.ts';
import { session } from './session.ts';

/** The commerce API as the viewer's pages use it. Every function throws ApiProblem. */
export async function getClientConfig(): Promise<ClientConfig> {
  return await timed(() => request<ClientConfig>('/api/client-config'));
}

export function getActiveShows(signal: AbortSignal): Promise<ShowList> {
  return request('/api/streaming/active', { signal });
}

export function getUpcomingShows(signal: AbortSignal): Promise<ShowList> {
  return request('/api/streaming/upcoming', { signal });
}

export function getShow(playbackId: string, signal: AbortSignal): Promise<ShowDetail> {
  return request(`/api/shows/${encodeURIComponent(playbackId)}`, { signal });
}

/** Makes the visitor a guest if they are nobody yet. */
export function getRoomToken(): Promise<RoomToken> {
  return session.call('/api/auth/room-token', { method: 'POST' }, guestName());
}

export async function redeemSignInLink(token: string): Promise<void> {
  session.adopt(await request<Session>('/api/auth/redeem', { method: 'POST', body: { token } }));
}

export async function getCart(): Promise<Cart> {
  return await timed(() => session.call<Cart>('/api/cart'));
}

export async function addCartLine(line: AddCartLine, idempotencyKey: string): Promise<Cart> {
  const options = { method: 'POST', body: line, idempotencyKey } as const;
  return await timed(() => session.call<Cart>('/api/cart/lines', options, guestName()));
}

export async function removeCartLine(lineId: string): Promise<Cart> {
  return await timed(() => session.call<Cart>(`/api/cart/lines/${encodeURIComponent(lineId)}`, { method: 'DELETE' }));
}

/** The same key and body again give the same order, never a second one. */
export function checkOut(body: Checkout, idempotencyKey: string): Promise<Order> {
  return session.call('/api/checkout', { method: 'POST', body, idempotencyKey });
}

export function getOrder(orderId: string): Promise<Order> {
  return session.call(`/api/orders/${encodeURIComponent(orderId)}`);
}

/** Lets an answer with `serverNowMs` set the clock by which holds run out. */
async function timed<T extends { readonly serverNowMs: number }>(ask: () => Promise<T>): Promise<T> {
  const sentAtMs = Date.now();
  const answer = await ask();
  serverClock.measure(answer.serverNowMs, sentAtMs, Date.now());
  return answer;
}
