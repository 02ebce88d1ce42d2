import type {
  LiveEvent,
  RootServerEvents,
  SessionRevoked,
  StreamEvent,
  StreamingServerEvents,
  StreamState,
} from '@showfloor/protocol';
import { assertNever } from '@showfloor/service-kit';
import { EventOrder } from './event-order.ts';
import type { StreamStates } from './stream-states.ts';

export type RelayResult = 'accepted' | 'stale';
export type RelayOptions = {
  readonly states: StreamStates;
  /** To room `stream:{playbackId}` of `/`. */
  readonly toShoppers: <E extends keyof RootServerEvents>(
    playbackId: string,
    event: E,
    payload: Parameters<RootServerEvents[E]>[0],
  ) => void;
  /** To room `stream:{playbackId}` of `/streaming`. */
  readonly toViewers: <E extends keyof StreamingServerEvents>(
    playbackId: string,
    event: E,
    payload: Parameters<StreamingServerEvents[E]>[0],
  ) => void;
  /** Told of each show that an event speaks of, also when a newer event has overtaken it. */
  readonly onNamed: (playbackId: string) => void;
  readonly revoke: (userId: string, atMs: number) => void;
};

const STREAM_STATES = {
  'stream.started': 'live',
  'stream.interrupted': 'interrupted',
  'stream.resumed': 'live',
  'stream.ended': 'ended',
} as const satisfies Record<StreamEvent['type'], StreamState>;

/** Turns events of the other planes into what browsers hear, dropping those that a newer one has overtaken. */
export class LiveEventRelay {
  readonly #options: RelayOptions;
  readonly #order = new EventOrder();

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Throws when the event could not be put in force (a revocation that cannot be written): it must be delivered again. */
  relay(event: LiveEvent | SessionRevoked): RelayResult {
    if (event.type !== 'session.revoked') this.#options.onNamed(event.playbackId);
    switch (event.type) {
      case 'stream.started':
      case 'stream.interrupted':
      case 'stream.resumed':
      case 'stream.ended':
        return this.#stream(event);
      case 'show.changed':
        return this.#show(event.playbackId, event.data.status, event.atMs);
      case 'session.revoked':
        this.#options.revoke(event.data.userId, event.atMs);
        return 'accepted';
      default:
        return this.#product(event);
    }
  }

  #stream(event: StreamEvent): RelayResult {
    const { playbackId, atMs } = event;
    const change = this.#options.states.set(playbackId, STREAM_STATES[event.type], atMs);
    if (change === 'stale') return 'stale';
    switch (event.type) {
      case 'stream.interrupted':
        this.#options.toViewers(playbackId, 'stream:interrupted', {
          playbackId,
          atMs,
          graceEndsAtMs: event.data.graceEndsAtMs ?? null,
        });
        break;
      case 'stream.started':
        this.#options.toViewers(playbackId, 'stream:started', { playbackId, atMs });
        break;
      case 'stream.resumed':
        this.#options.toViewers(playbackId, 'stream:resumed', { playbackId, atMs });
        break;
      case 'stream.ended':
        if (change === 'changed') this.#options.toViewers(playbackId, 'stream:ended', { playbackId, atMs });
        break;
      default:
        assertNever(event.type);
    }
    return 'accepted';
  }

  /** The seller's word ends a show even when the video plane is down; other states follow the video. */
  #show(playbackId: string, status: string, atMs: number): RelayResult {
    if (status !== 'ended' && status !== 'cancelled') return 'accepted';
    const change = this.#options.states.set(playbackId, 'ended', atMs);
    if (change === 'changed') this.#options.toViewers(playbackId, 'stream:ended', { playbackId, atMs });
    return change === 'stale' ? 'stale' : 'accepted';
  }

  #product(event: Exclude<LiveEvent, StreamEvent | { readonly type: 'show.changed' }>): RelayResult {
    const { playbackId, atMs } = event;
    switch (event.type) {
      case 'product.pinned': {
        if (!this.#order.keepsUp(`pin ${playbackId}`, atMs)) return 'stale';
        const { product, pinnedAtMs } = event.data;
        this.#options.toShoppers(playbackId, 'product:pinned', { playbackId, product, pinnedAtMs });
        return 'accepted';
      }
      case 'product.unpinned': {
        if (!this.#order.keepsUp(`pin ${playbackId}`, atMs)) return 'stale';
        this.#options.toShoppers(playbackId, 'product:unpinned', { playbackId, productId: event.data.productId, atMs });
        return 'accepted';
      }
      case 'product.added':
      case 'product.updated': {
        const { product } = event.data;
        if (!this.#order.keepsUp(`product ${playbackId} ${product.id}`, atMs)) return 'stale';
        const name = event.type === 'product.added' ? 'product:added' : 'product:updated';
        this.#options.toShoppers(playbackId, name, { playbackId, product });
        return 'accepted';
      }
      case 'product.deleted': {
        const { productId } = event.data;
        if (!this.#order.keepsUp(`product ${playbackId} ${productId}`, atMs)) return 'stale';
        this.#options.toShoppers(playbackId, 'product:deleted', { playbackId, productId });
        return 'accepted';
      }
      case 'stock.changed': {
        const { productId, variantId, availableUnits, stockVersion } = event.data;
        if (!this.#order.advance(`stock ${playbackId} ${variantId}`, stockVersion)) return 'stale';
        const stock = { playbackId, productId, variantId, availableUnits, stockVersion };
        this.#options.toShoppers(playbackId, 'product:stock:update', stock);
        if (availableUnits === 0) {
          this.#options.toShoppers(playbackId, 'product:sold-out', { playbackId, productId, variantId });
        }
        return 'accepted';
      }
      default:
        return assertNever(event);
    }
  }
}
