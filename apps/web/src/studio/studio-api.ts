import type {
  NewProduct,
  NewShow,
  ProductCard,
  ShowDetail,
  ShowList,
  ShowSummary,
  StockAdjustment,
  StreamKey,
} from '@showfloor/protocol';
import { openKeys } from '../api/open-keys.ts';
import { randomId } from '../api/random-id.ts';
import { session } from '../api/session.ts';

/** The commerce API as a seller's studio uses it. Every function throws ApiProblem. */
export function getSellerShows(): Promise<ShowList> {
  return session.call('/api/seller/shows');
}

export function getSellerProducts(): Promise<{ readonly products: readonly ProductCard[] }> {
  return session.call('/api/seller/products');
}

export function createShow(body: NewShow): Promise<ShowSummary> {
  return create('/api/shows', body);
}

export function stopShow(showId: string): Promise<ShowSummary> {
  return session.call(`/api/shows/${showId}/stop`, { method: 'POST', idempotencyKey: randomId() });
}

/** Makes a new key; the old one stops working. */
export function makeStreamKey(showId: string): Promise<StreamKey> {
  return session.call(`/api/shows/${showId}/stream-key`, { method: 'POST', idempotencyKey: randomId() });
}

export function createProduct(body: NewProduct): Promise<ProductCard> {
  return create('/api/products', body);
}

export function adjustStock(productId: string, body: StockAdjustment): Promise<ProductCard> {
  return create(`/api/products/${productId}/stock`, body);
}

/** A write that must not happen twice: pressed again after a dead line, it is the same one. */
function create<T>(path: string, body: unknown): Promise<T> {
  return openKeys.once(path, body, (idempotencyKey) => session.call(path, { method: 'POST', body, idempotencyKey }));
}

export function addShowProduct(showId: string, productId: string): Promise<ShowDetail> {
  const options = { method: 'POST', body: { productId }, idempotencyKey: randomId() } as const;
  return session.call(`/api/shows/${showId}/products`, options);
}

export function removeShowProduct(showId: string, productId: string): Promise<ShowDetail> {
  return session.call(`/api/shows/${showId}/products/${productId}`, { method: 'DELETE' });
}

export function pinProduct(showId: string, productId: string): Promise<ShowDetail> {
  return session.call(`/api/shows/${showId}/featured`, { method: 'PUT', body: { productId } });
}

export function unpinProduct(showId: string): Promise<ShowDetail> {
  return session.call(`/api/shows/${showId}/featured`, { method: 'DELETE' });
}
