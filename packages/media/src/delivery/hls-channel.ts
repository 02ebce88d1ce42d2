/**
 * HLS of one stream: the finished answers to what viewers ask, and the requests that wait for what is not there yet.
 * Spec: draft-pantos-hls-rfc8216bis-20, sections 6.2.5.2 and 6.2.6.
 */
import { createHash } from 'node:crypto';
import type { HlsWindow } from '../hls/hls-packager.ts';
import type { HeldList, HeldRequest } from './held-requests.ts';
import { type ReloadPoint, reloadState } from './hls-request.ts';
import type { HlsSource } from './hls-source.ts';
import { HttpAnswer } from './http-answer.ts';

const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
const OBJECT_TYPE = 'video/mp4';
/** Names carry the run, so that an object never changes; an edge keeps it as long as it likes. */
const OBJECT_CACHE = 'public, max-age=3600, immutable';
/** A player may be seconds behind with its list: an edge need not keep it longer than a join takes. */
const MULTIVARIANT_CACHE = 'public, max-age=1';
/** Long enough for an edge to collapse the end of a show, short enough for a show that begins anew under its name. */
const ENDED_CACHE = 'public, max-age=2';
/** What a list asked for by (msn, part) says stays true; the specification's profile for CDNs names six target durations. */
const BLOCKING_CACHE_TARGETS = 6;
/** Answers of objects that are kept ready. */
const OBJECT_ANSWERS_MAX = 64;

/** How long requests are held. */
export type HoldLimits = Readonly<{
  /**
   * For the first playlist of a stream that has just begun: it comes after one GOP, which is waited for up to 10 s (encoders left to
   * themselves send 8 s of them). hls.js gives its first list 20 s without minding the first byte, but retries an error only once.
   */
  firstMs: number;
  /** Target durations for a part that others before it came, then 503. Section 6.2.5.2. */
  targets: number;
  /** No longer than this for anything else: hls.js waits 10 s for a first byte of later lists. */
  msMax: number;
  /**
   * When the stream stands still (its publisher is gone or hangs), a blocked list is answered as it is after this share of the
   * target duration. hls.js takes a request for a part back after 0.8 target durations, and gives up for good when that has
   * happened three times; an unchanged list it simply asks for again, for as long as the grace window lasts.
   */
  stalledTargets: number;
}>;

/** 12 s for a first list; 3 target durations, 8 s at most; 0.6 target durations when nothing moves. */
export const HOLD_LIMITS: HoldLimits = { firstMs: 12_000, targets: 3, msMax: 8_000, stalledTargets: 0.6 };

/** What requests wait for. */
export type Wish =
  | Readonly<{ kind: 'first-playlist' | 'first-multivariant' }>
  | Readonly<{ kind: 'playlist'; point: ReloadPoint }>
  | Readonly<{ kind: 'object'; name: string }>;

/** Requests that may be answered now, all with the same. `outcome` is a word for the metric. */
export type Due = Readonly<{ wish: Wish; list: HeldList; answer: HttpAnswer; outcome: string }>;

type Waiting = { readonly wish: Wish; list: HeldList };
type Answers = { readonly window: HlsWindow; plain?: HttpAnswer; blocking?: HttpAnswer; stalled?: HttpAnswer };

const NOT_FOUND = HttpAnswer.problem(404, 'no_such_object');
const NOT_YET = HttpAnswer.problem(503, 'not_yet', { 'retry-after': '1' });

/** Lives as long as its source; whoever holds it calls `due` after each change and `expired` a few times a second. */
export class HlsChannel {
  readonly playbackId: string;
  readonly source: HlsSource;
  readonly #limits: HoldLimits;
  readonly #waiting = new Map<string, Waiting>();
  readonly #objects = new Map<string, HttpAnswer>();
  #answers: Answers | null = null;
  #multivariant: { readonly bytes: Buffer; readonly isEnded: boolean; readonly answer: HttpAnswer } | null = null;
  #changedAtMs: number;
  #objectsMsn = -1;
  /** Bytes of bodies that viewers were sent. */
  sentBytes = 0;

  constructor(playbackId: string, source: HlsSource, limits: HoldLimits, nowMs: number) {
    this.playbackId = playbackId;
    this.source = source;
    this.#limits = limits;
    this.#changedAtMs = nowMs;
  }

  /** Requests that wait, also those whose connection is gone meanwhile. */
  get waitingCount(): number {
    let count = 0;
    for (const { list } of this.#waiting.values()) count += list.length;
    return count;
  }

  get targetDurationMs(): number {
    return this.source.window?.targetDurationMs ?? 0;
  }

  /** The answer to a request for the multivariant playlist, or what it has to wait for. */
  multivariant(): HttpAnswer | Wish {
    const { window } = this.source;
    if (window === null) return this.#whyNot() ?? { kind: 'first-multivariant' };
    const ready = this.#multivariant;
    if (ready !== null && ready.bytes === window.multivariant && ready.isEnded === window.isEnded) return ready.answer;
    const cache = window.isEnded ? ENDED_CACHE : MULTIVARIANT_CACHE;
    const answer = playlistAnswer(window.multivariant, cache);
    this.#multivariant = { bytes: window.multivariant, isEnded: window.isEnded, answer };
    return answer;
  }

  /** The same for the media playlist; `point` is what the request wants to be in it. */
  playlist(point: ReloadPoint | null): HttpAnswer | Wish {
    const { window } = this.source;
    if (window === null) return this.#whyNot() ?? { kind: 'first-playlist' };
    if (point === null) return this.#playlist(window, 'plain');
    switch (reloadState(point, window)) {
      case 'ready':
        return this.#playlist(window, 'blocking');
      case 'hold':
        return { kind: 'playlist', point };
      case 'too-far':
        return TOO_FAR;
    }
  }

  /** The same for an init section, a segment or a part. */
  object(name: string): HttpAnswer | Wish {
    const known = this.#objects.get(name);
    if (known !== undefined) return known;
    const found = this.source.object(name);
    if (found === undefined) return NOT_FOUND;
    if (found === 'pending') return { kind: 'object', name };
    const headers = {
      'content-type': OBJECT_TYPE,
      'cache-control': OBJECT_CACHE,
      'accept-ranges': 'bytes',
      etag: `"${name}"`,
    };
    const answer = new HttpAnswer(200, headers, found.body);
    if (this.#objects.size >= OBJECT_ANSWERS_MAX) this.#objects.clear();
    this.#objects.set(name, answer);
    return answer;
  }

  /** Puts a request to those that wait for the same. */
  hold(wish: Wish, held: HeldRequest): void {
    const key = keyOf(wish);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, { wish, list: [held] });
    else waiting.list.push(held);
  }

  /** The window changed: who need not wait any longer. */
  due(nowMs: number): Due[] {
    this.#changedAtMs = nowMs;
    this.#dropOldObjects();
    const due: Due[] = [];
    for (const [key, { wish, list }] of this.#waiting) {
      const answer = this.#answerTo(wish);
      if (!(answer instanceof HttpAnswer)) continue;
      this.#waiting.delete(key);
      due.push({ wish, list, answer, outcome: outcomeOf(answer) });
    }
    return due;
  }

  /** Who has waited for as long as it makes sense. */
  expired(nowMs: number): Due[] {
    const due: Due[] = [];
    for (const [key, waiting] of this.#waiting) {
      const { wish, list } = waiting;
      const { answer, outcome, sinceMs } = this.#whenExpired(wish, nowMs);
      const first = list.findIndex((held) => held.heldAtMs > sinceMs);
      const count = first === -1 ? list.length : first;
      if (count === 0) continue;
      due.push({ wish, list: list.slice(0, count), answer, outcome });
      if (count === list.length) this.#waiting.delete(key);
      else waiting.list = list.slice(count);
    }
    return due;
  }

  /** The stream is gone: nobody need wait. */
  abandoned(): Due[] {
    const due = Array.from(this.#waiting.values(), (waiting) => ({
      ...waiting,
      answer: NOT_FOUND,
      outcome: 'not_found',
    }));
    this.#waiting.clear();
    return due;
  }

  /** A stream that has no HLS says so at once. */
  #whyNot(): HttpAnswer | null {
    const { problem } = this.source;
    return problem === null ? null : HttpAnswer.problem(404, `no_hls_${problem}`);
  }

  #answerTo(wish: Wish): HttpAnswer | Wish {
    switch (wish.kind) {
      case 'first-multivariant':
        return this.multivariant();
      case 'first-playlist':
        return this.playlist(null);
      case 'playlist':
        return this.playlist(wish.point);
      case 'object':
        return this.object(wish.name);
    }
  }

  /** Requests that came at or before `sinceMs` get `answer`. */
  #whenExpired(wish: Wish, nowMs: number): { answer: HttpAnswer; outcome: string; sinceMs: number } {
    const { firstMs, targets, msMax, stalledTargets } = this.#limits;
    const { window } = this.source;
    const notYet = { answer: NOT_YET, outcome: 'timeout' };
    if (window === null) {
      const whyNot = this.#whyNot();
      return whyNot === null
        ? { ...notYet, sinceMs: nowMs - firstMs }
        : { answer: whyNot, outcome: outcomeOf(whyNot), sinceMs: nowMs };
    }
    const holdMs = Math.min(msMax, targets * window.targetDurationMs);
    const stalledMs = Math.max(stalledTargets * window.targetDurationMs, 2 * window.partTargetMs);
    if (wish.kind === 'playlist' && nowMs - this.#changedAtMs >= stalledMs) {
      return { answer: this.#playlist(window, 'stalled'), outcome: 'stalled', sinceMs: nowMs - stalledMs };
    }
    return { ...notYet, sinceMs: nowMs - holdMs };
  }

  #playlist(window: HlsWindow, kind: 'plain' | 'blocking' | 'stalled'): HttpAnswer {
    if (this.#answers?.window !== window) this.#answers = { window };
    const known = this.#answers[kind];
    if (known !== undefined) return known;
    const answer = playlistAnswer(window.playlist, cacheOf(window, kind));
    this.#answers[kind] = answer;
    return answer;
  }

  /** Answers hold on to the bytes of their object, so they go when the window moves. */
  #dropOldObjects(): void {
    const msn = this.source.window?.lastMsn ?? -1;
    if (msn === this.#objectsMsn) return;
    this.#objectsMsn = msn;
    this.#objects.clear();
  }
}

const TOO_FAR = HttpAnswer.problem(400, 'too_far_ahead');

/** Directives that are no numbers, or a part without a segment. */
export const INVALID_DIRECTIVES: HttpAnswer = HttpAnswer.problem(400, 'invalid_delivery_directives');

/** A word for the metric. */
export function outcomeOf({ status }: HttpAnswer): string {
  if (status === 200) return 'ok';
  return status === 404 ? 'not_found' : status === 400 ? 'refused' : 'timeout';
}

function playlistAnswer(body: Buffer, cache: string): HttpAnswer {
  const etag = `"${createHash('sha1').update(body).digest('base64url').slice(0, 20)}"`;
  return new HttpAnswer(200, { 'content-type': PLAYLIST_TYPE, 'cache-control': cache, etag }, [body]);
}

/** A plain live list is asked for anew each time, by its ETag; half a segment, the most it may be kept for, is less than HTTP's second. */
function cacheOf(window: HlsWindow, kind: 'plain' | 'blocking' | 'stalled'): string {
  if (kind === 'stalled') return 'no-store'; // under this URL there will be something else in a moment
  if (window.isEnded) return ENDED_CACHE;
  if (kind === 'plain') return 'no-cache';
  return `public, max-age=${Math.round((BLOCKING_CACHE_TARGETS * window.targetDurationMs) / 1_000)}`;
}

function keyOf(wish: Wish): string {
  switch (wish.kind) {
    case 'playlist':
      return `p${wish.point.msn}.${wish.point.part ?? ''}`;
    case 'object':
      return `o${wish.name}`;
    default:
      return wish.kind;
  }
}
