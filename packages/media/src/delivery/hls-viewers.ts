import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Bounds of the table of viewers. */
export type HlsViewersLimits = Readonly<{
  /** Viewers at once; requests of further ones are answered, but have no row of their own. */
  viewersMax: number;
  /** A viewer who has asked for nothing for this long is gone; three target durations if that is more. */
  idleMs: number;
  /** A viewer who was cut gets 403 for this long. */
  refusedMs: number;
}>;

/** 20,000 viewers, 10 s, 30 s. */
export const HLS_VIEWERS_LIMITS: HlsViewersLimits = { viewersMax: 20_000, idleMs: 10_000, refusedMs: 30_000 };
/** Cut viewers that are remembered; the oldest is forgotten. */
const REFUSED_MAX = 1_000;
const KEY_CHARS_MAX = 128;

/** One player on one stream: HLS is many requests, so it is known by what its requests have in common. */
export class HlsViewer {
  readonly id: string = randomUUID();
  readonly key: string;
  readonly playbackId: string;
  readonly ip: string;
  readonly createdAtMs: number = Date.now();
  /** Bytes of bodies. */
  sentBytes = 0;
  /** True from the first request that only a low-latency player makes. */
  isLowLatency = false;
  /** Requests that wait for something: whoever waits is not gone. */
  waiting = 0;
  idleMs: number;
  lastSeenMs: number;

  constructor(identity: { key: string; playbackId: string; ip: string }, idleMs: number, nowMs: number) {
    this.key = identity.key;
    this.playbackId = identity.playbackId;
    this.ip = identity.ip;
    this.idleMs = idleMs;
    this.lastSeenMs = nowMs;
  }

  /** The word in metrics. */
  get protocol(): 'hls' | 'llhls' {
    return this.isLowLatency ? 'llhls' : 'hls';
  }
}

/** Viewers of a stream, and the low-latency ones among them. */
export type StreamCount = Readonly<{ all: number; lowLatency: number }>;

const NOBODY: StreamCount = { all: 0, lowLatency: 0 };

export type HlsViewersEvents = Readonly<{
  onJoin: (viewer: HlsViewer) => void;
  /** A classic player turned out to be a low-latency one. */
  onLowLatency: (viewer: HlsViewer) => void;
  onLeave: (viewer: HlsViewer, reason: string) => void;
  /** The table is full: a request has no row. */
  onOverflow: () => void;
}>;

/** All HLS viewers of the process. `sweep` ends those who are gone. */
export class HlsViewers {
  readonly #limits: HlsViewersLimits;
  readonly #events: HlsViewersEvents;
  readonly #byKey = new Map<string, HlsViewer>();
  readonly #byId = new Map<string, HlsViewer>();
  readonly #counts = new Map<string, StreamCount>();
  /** Key → until when, in the order they were cut. */
  readonly #refusedUntilMs = new Map<string, number>();

  constructor(limits: HlsViewersLimits, events: HlsViewersEvents) {
    this.#limits = limits;
    this.#events = events;
  }

  get count(): number {
    return this.#byKey.size;
  }

  list(): readonly HlsViewer[] {
    return [...this.#byKey.values()];
  }

  /** Viewers of one stream. */
  countFor(playbackId: string): StreamCount {
    return this.#counts.get(playbackId) ?? NOBODY;
  }

  find(id: string): HlsViewer | undefined {
    return this.#byId.get(id);
  }

  /** True for a viewer who was cut a moment ago. */
  isRefused(key: string, nowMs: number): boolean {
    if (this.#refusedUntilMs.size === 0) return false;
    const untilMs = this.#refusedUntilMs.get(key);
    return untilMs !== undefined && nowMs < untilMs;
  }

  /** The viewer behind a request, new or known; null when the table is full. */
  seen(
    identity: { key: string; playbackId: string; ip: string },
    targetDurationMs: number,
    nowMs: number,
  ): HlsViewer | null {
    const idleMs = Math.max(this.#limits.idleMs, 3 * targetDurationMs);
    const known = this.#byKey.get(identity.key);
    if (known !== undefined) {
      known.lastSeenMs = nowMs;
      known.idleMs = idleMs;
      return known;
    }
    if (this.#byKey.size >= this.#limits.viewersMax) {
      this.#events.onOverflow();
      return null;
    }
    const viewer = new HlsViewer(identity, idleMs, nowMs);
    this.#byKey.set(viewer.key, viewer);
    this.#byId.set(viewer.id, viewer);
    this.#count(viewer.playbackId, 1, 0);
    this.#events.onJoin(viewer);
    return viewer;
  }

  /** The viewer asked for what only a low-latency player asks for. */
  markLowLatency(viewer: HlsViewer): void {
    if (viewer.isLowLatency) return;
    this.#events.onLowLatency(viewer);
    viewer.isLowLatency = true;
    this.#count(viewer.playbackId, 0, 1);
  }

  /** Takes a viewer out and refuses it for a while. */
  cut(viewer: HlsViewer, nowMs: number): void {
    const oldest = this.#refusedUntilMs.keys().next().value;
    if (this.#refusedUntilMs.size >= REFUSED_MAX && oldest !== undefined) this.#refusedUntilMs.delete(oldest);
    this.#refusedUntilMs.set(viewer.key, nowMs + this.#limits.refusedMs);
    this.#leave(viewer, 'cut');
  }

  /** Takes out those who have not asked for anything for a while. Call it every second. */
  sweep(nowMs: number): void {
    for (const viewer of this.#byKey.values()) {
      if (viewer.waiting === 0 && nowMs - viewer.lastSeenMs > viewer.idleMs) this.#leave(viewer, 'viewer_closed');
    }
    for (const [key, untilMs] of this.#refusedUntilMs) if (nowMs >= untilMs) this.#refusedUntilMs.delete(key);
  }

  /** Takes out all viewers of a stream (`playbackId`), or all there are. */
  clear(reason: string, playbackId?: string): void {
    for (const viewer of this.#byKey.values()) {
      if (playbackId === undefined || viewer.playbackId === playbackId) this.#leave(viewer, reason);
    }
  }

  #leave(viewer: HlsViewer, reason: string): void {
    if (!this.#byKey.delete(viewer.key)) return;
    this.#byId.delete(viewer.id);
    this.#count(viewer.playbackId, -1, viewer.isLowLatency ? -1 : 0);
    this.#events.onLeave(viewer, reason);
  }

  #count(playbackId: string, all: number, lowLatency: number): void {
    const before = this.countFor(playbackId);
    const after = { all: before.all + all, lowLatency: before.lowLatency + lowLatency };
    if (after.all === 0) this.#counts.delete(playbackId);
    else this.#counts.set(playbackId, after);
  }
}

/**
 * What the requests of one player have in common: the session id that Apple's players send, CMCD's session id (CTA-5004), else address
 * and program. `query` is without `?`.
 */
export function viewerKey(playbackId: string, headers: IncomingHttpHeaders, query: string, ip: string): string {
  const session = headers['x-playback-session-id'];
  if (typeof session === 'string' && session !== '') return `${playbackId}|s|${session.slice(0, KEY_CHARS_MAX)}`;
  const sid = cmcdSessionId(headers, query);
  if (sid !== null) return `${playbackId}|s|${sid.slice(0, KEY_CHARS_MAX)}`;
  return `${playbackId}|a|${ip}|${(headers['user-agent'] ?? '').slice(0, KEY_CHARS_MAX)}`;
}

/** `sid` of CMCD, from its header or its query argument. */
function cmcdSessionId(headers: IncomingHttpHeaders, query: string): string | null {
  const header = headers['cmcd-session'];
  const fromHeader = typeof header === 'string' ? SID.exec(header)?.[1] : undefined;
  if (fromHeader !== undefined) return fromHeader;
  const argument = query.includes('CMCD=') ? /(?:^|&)CMCD=([^&]*)/.exec(query)?.[1] : undefined;
  if (argument === undefined) return null;
  return SID.exec(argument.replaceAll('%22', '"').replaceAll('%2C', ',').replaceAll('%3D', '='))?.[1] ?? null;
}

const SID = /(?:^|,)\s*sid="([^"]{1,128})"/;
