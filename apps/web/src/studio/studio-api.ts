import type {
  NewProduct,
  NewRestreamTarget,
  NewShow,
  ProductCard,
  ProductPatch,
  RestreamTargetList,
  RestreamTargetPatch,
  RestreamTargetView,
  ShowDetail,
  ShowList,
  ShowPatch,
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

export function updateShow(showId: string, body: ShowPatch): Promise<ShowSummary> {
  return session.call(`/api/shows/${showId}`, { method: 'PATCH', body });
}

/** Calls off a show that has not been on air. */
export function cancelShow(showId: string): Promise<ShowSummary> {
  return session.call(`/api/shows/${showId}/cancel`, { method: 'POST', idempotencyKey: randomId() });
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

export function updateProduct(productId: string, body: ProductPatch): Promise<ProductCard> {
  return session.call(`/api/products/${productId}`, { method: 'PATCH', body });
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

export function getRestreamTargets(showId: string, signal: AbortSignal): Promise<RestreamTargetList> {
  return session.call(targetsPath(showId), { signal });
}

export function addRestreamTarget(showId: string, body: NewRestreamTarget): Promise<RestreamTargetView> {
  return create(targetsPath(showId), body);
}

export function updateRestreamTarget(
  showId: string,
  targetId: string,
  body: RestreamTargetPatch,
): Promise<RestreamTargetView> {
  return session.call(`${targetsPath(showId)}/${targetId}`, { method: 'PATCH', body });
}

export function deleteRestreamTarget(showId: string, targetId: string): Promise<void> {
  return session.call(`${targetsPath(showId)}/${targetId}`, { method: 'DELETE' });
}

function targetsPath(showId: string): string {
  return `/api/shows/${showId}/restream-targets`;
}
