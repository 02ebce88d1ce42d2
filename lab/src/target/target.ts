/**
 * What the lab knows of a platform. A target adapter (`lab/targets/*.ts`) looks at a URL and describes the platform as
 * plain data; for the planes beyond video it also knows the words: events of the room, requests of the shop. Adapters
 * do no I/O but detection: actors send, measure and count.
 */
import type { TargetSource } from '../collectors/source.ts';
import type { Plane, VideoAbility } from '../verdict/criterion.ts';

/** Plain data: it travels to the worker threads, and as {@link describeTarget} leaves it into the run's manifest. */
export type TargetDescription = {
  /** Name of the adapter. */
  readonly kind: string;
  readonly url: string;
  readonly planes: readonly Plane[];
  /** What is watched, e.g. `show demo`. */
  readonly subject: string;
  readonly flvUrl: string | null;
  /** `url` of a multivariant or media playlist; `isLowLatency`: it has parts, and reloads can be waited for. */
  readonly hls: { readonly url: string; readonly isLowLatency: boolean } | null;
  /** Several streams to watch; absent: the one above. `name` is no key. */
  readonly streams?: readonly WatchableStream[];
  readonly room: { readonly webSocketUrl: string; readonly name: string } | null;
  readonly shop: { readonly baseUrl: string; readonly show: string; readonly testCard: string } | null;
  readonly version: string | null;
  /** What can be collected of it, by its default addresses; what does not answer is left out. */
  readonly sources?: readonly TargetSource[];
};

/** One stream of several. */
export type WatchableStream = { readonly name: string } & Pick<TargetDescription, 'flvUrl' | 'hls'>;

/** A stream made for the lab to publish. `publishUrl` carries the key: a secret, kept in memory only. */
export type MadeStream = {
  readonly name: string;
  readonly publishUrl: string;
  readonly flvUrl: string;
  readonly hlsUrl: string;
};

/** Streams made for one run; `close` ends what was made. */
export type MadeStreams = { readonly streams: readonly MadeStream[]; readonly close: () => Promise<void> };

/** A show's state, as the platform tells those who watch. `graceEndsAtWallMs`: `interrupted` only, null without a grace window. */
export type ShowChange = {
  readonly state: 'live' | 'interrupted' | 'resumed' | 'ended';
  readonly graceEndsAtWallMs: number | null;
};

/** The same target as it may be kept: a query of a stream's URL can hold a token. */
export function describeTarget(target: TargetDescription): TargetDescription {
  const { url, flvUrl, hls, streams } = target;
  const watched = (one: Pick<TargetDescription, 'flvUrl' | 'hls'>) => ({
    flvUrl: one.flvUrl === null ? null : withoutQuery(one.flvUrl),
    hls: one.hls === null ? null : { ...one.hls, url: withoutQuery(one.hls.url) },
  });
  return {
    ...target,
    url: withoutQuery(url),
    ...watched({ flvUrl, hls }),
    ...(streams === undefined ? {} : { streams: streams.map((one) => ({ ...one, ...watched(one) })) }),
  };
}

/** For messages and run folders. */
export function withoutQuery(url: string): string {
  return url.split('?', 1)[0] ?? url;
}

/** In which ways the target can be watched. */
export function abilitiesOf({ flvUrl, hls }: Pick<TargetDescription, 'flvUrl' | 'hls'>): VideoAbility[] {
  const abilities: VideoAbility[] = flvUrl === null ? [] : ['flv'];
  if (hls !== null) abilities.push('hls');
  if (hls?.isLowLatency === true) abilities.push('llhls');
  return abilities;
}

/** The target cannot be tested: exit code 6. The message says what was tried and what to do. */
export class TargetUnreachableError extends Error {
  override readonly name = 'TargetUnreachableError';
}

/** One request of the shop. `body` is sent as JSON. */
export type ApiRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/** `body` is the parsed JSON, or null. */
export type ApiAnswer = { readonly status: number; readonly body: unknown };

/** `isExpected`: a refusal that shoppers meet in a healthy shop (sold out, rate limit); everything else is an error. */
export type ApiResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string; readonly isExpected: boolean };

/** A request together with what its answer means. `kind` decides which latency limit holds. */
export type ApiStep<T> = {
  readonly name: string;
  readonly kind: 'read' | 'write';
  readonly request: ApiRequest;
  readonly read: (answer: ApiAnswer) => ApiResult<T>;
};

/** Something to buy. */
export type ShopItem = { readonly variantId: string; readonly availableUnits: number };
/** The cart as the shop sees it; `lineSumMinor` is recomputed from its lines. */
export type ShopCart = {
  readonly lineIds: readonly string[];
  readonly totalMinor: number;
  readonly lineSumMinor: number;
};
/** An order. `isPending`: nothing is decided yet, the same key asked again will tell. */
export type ShopOrder = {
  readonly id: string;
  readonly totalMinor: number;
  readonly isPaid: boolean;
  readonly isPending: boolean;
};

/** The words of a shop. `session` is whatever `signIn` gave. */
export type ShopDialect = {
  readonly signIn: (displayName: string) => ApiStep<string>;
  readonly listItems: (session: string) => ApiStep<readonly ShopItem[]>;
  readonly hold: (session: string, variantId: string, idempotencyKey: string) => ApiStep<ShopCart>;
  readonly release: (session: string, lineId: string) => ApiStep<ShopCart>;
  readonly checkout: (session: string, idempotencyKey: string) => ApiStep<ShopOrder>;
  readonly listOrders: (session: string) => ApiStep<readonly ShopOrder[]>;
  /** What lets this session write in the room; goes into the Socket.IO handshake. */
  readonly roomToken: (session: string) => ApiStep<string>;
};

/** A message as a member receives it. `order` grows by one per message of the room, where the room numbers them. */
export type RoomMessage = { readonly text: string; readonly order: number | null };

/** The words of a room over Socket.IO v4. */
export type RoomDialect = {
  readonly namespaces: readonly string[];
  readonly auth: (token: string | null) => Readonly<Record<string, unknown>>;
  /** One join per namespace that wants one; each is acknowledged. */
  readonly joins: (
    room: string,
  ) => readonly { readonly namespace: string; readonly event: string; readonly payload: unknown }[];
  readonly chat: {
    readonly namespace: string;
    readonly send: (
      room: string,
      text: string,
      clientId: string,
    ) => { readonly event: string; readonly payload: unknown };
    /** Messages in a received event; null when the event carries none. */
    readonly read: (event: string, payload: unknown) => readonly RoomMessage[] | null;
  };
  /** What an event says about the show's state; null when it says nothing. */
  readonly readShow?: (event: string, payload: unknown) => ShowChange | null;
  /** What an acknowledgement says. */
  readonly readAck: (answer: unknown) => {
    readonly ok: boolean;
    readonly reason: string;
    readonly isExpected: boolean;
  };
};

/** One platform. Exported as `target` by each file in `lab/targets`. */
export type TargetAdapter = {
  readonly kind: string;
  /** Describes the platform at this URL, or null when it is not this kind. Throws TargetUnreachableError. */
  readonly detect: (url: URL) => Promise<TargetDescription | null>;
  readonly room?: RoomDialect;
  /** A request to `url` whose answer carries the target's wall clock, in milliseconds since 1970. */
  readonly clock?: ApiStep<number>;
  readonly shop?: (target: TargetDescription) => ShopDialect;
  /** Makes streams with keys as a seller: `seller` is a one-time sign-in link, or email:password. Throws {@link TargetUnreachableError}. */
  readonly makeStreams?: (url: URL, count: number, seller: string) => Promise<MadeStreams>;
};
