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
  return session.call('/api/shows', { method: 'POST', body, idempotencyKey: randomId() });
}

export function stopShow(showId: string): Promise<ShowSummary> {
  return session.call(`/api/shows/${showId}/stop`, { method: 'POST', idempotencyKey: randomId() });
}

/** Makes a new key; the old one stops working. */
export function makeStreamKey(showId: string): Promise<StreamKey> {
  return session.call(`/api/shows/${showId}/stream-key`, { method: 'POST', idempotencyKey: randomId() });
}

export function createProduct(body: NewProduct): Promise<ProductCard> {
  return session.call('/api/products', { method: 'POST', body, idempotencyKey: randomId() });
}

export function adjustStock(productId: string, body: StockAdjustment): Promise<ProductCard> {
  return session.call(`/api/products/${productId}/stock`, { method: 'POST', body, idempotencyKey: randomId() });
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
