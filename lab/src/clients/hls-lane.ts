/** One lane of an HLS viewer: a kept connection, the request on it, and the figures of each answer by type of object. */
import { monotonicMs } from '../clock.ts';
import type { HlsMetrics, ObjectType } from './hls-metrics.ts';
import type { HttpHead } from './http-response-reader.ts';
import { KeepAliveGet } from './keep-alive-get.ts';

/** How a request failed. `isMissing`: answered with 4xx. */
export type LaneFailure = { readonly atMs: number; readonly reason: string; readonly isMissing: boolean };

/** What became of the request. Body pieces are those of 200 answers only, and must be used at once. */
export type LaneEvents = {
  readonly onConnected: (atMs: number) => void;
  readonly onBody: (bytes: Uint8Array) => void;
  readonly onEnd: (atMs: number) => void;
  readonly onFailed: (failure: LaneFailure) => void;
  /** The request was accepted, and nothing has come for a while; told once per request. */
  readonly onSilent: (type: ObjectType) => void;
};

/** No byte within this of an answer that should come at once: accepted, but silent. */
const SILENT_MS = 2000;
/** Waiting answers may take up to three target durations (draft-pantos-hls-rfc8216bis, 6.2.5.2). */
const SILENT_TARGETS = 3;
const REDIRECTS_MAX = 3;

/** One request at a time. Its owner calls `watch` a few times per second, and `close`. */
export class HlsLane {
  readonly #metrics: HlsMetrics;
  readonly #events: LaneEvents;
  readonly #get: KeepAliveGet;
  #type: ObjectType = 'list';
  #url: URL | null = null;
  #status = 0;
  #redirect: string | null = null;
  #redirects = 0;
  #isSilent = false;
  #sentAtMs = 0;

  constructor(headers: string, metrics: HlsMetrics, events: LaneEvents) {
    this.#metrics = metrics;
    this.#events = events;
    this.#get = new KeepAliveGet(headers, {
      onConnected: (tookMs, atMs) => {
        metrics.connectMs.record(tookMs);
        events.onConnected(atMs);
      },
      onHead: (head, atMs) => this.#onHead(head, atMs),
      onBody: (bytes) => {
        metrics.bytes.add(bytes.length);
        if (this.#status === 200) events.onBody(bytes);
      },
      onEnd: (atMs) => this.#onEnd(atMs),
      onFailed: (reason, atMs) => this.#fail(reason, atMs, false),
    });
  }

  get isBusy(): boolean {
    return this.#get.isBusy;
  }

  /** Where the last request went in the end, after redirects. */
  get url(): URL | null {
    return this.#url;
  }

  get type(): ObjectType {
    return this.#type;
  }

  ask(type: ObjectType, url: URL): void {
    this.#type = type;
    this.#redirects = 0;
    this.#sentAtMs = monotonicMs();
    this.#isSilent = false;
    this.#metrics.objects[type].requests.add();
    this.#send(url);
  }

  /** Notices silence, and gives up after `firstByteMsMax` of it. */
  watch(nowMs: number, firstByteMsMax: number, targetDurationMs: number): void {
    if (!this.#get.isBusy) return;
    const isWaiting = this.#type === 'blocking-list' || this.#type === 'hint';
    const silentMs = this.#get.silentMs(nowMs);
    const limitMs = isWaiting ? Math.max(SILENT_MS, SILENT_TARGETS * targetDurationMs) : SILENT_MS;
    if (!this.#isSilent && this.#get.isUnanswered && silentMs > limitMs) {
      this.#isSilent = true;
      this.#metrics.objects[this.#type].silent.add();
      this.#events.onSilent(this.#type);
    }
    if (silentMs > firstByteMsMax) this.#get.cancel('timeout');
  }

  close(): void {
    this.#get.close();
  }

  #send(url: URL): void {
    this.#url = url;
    this.#status = 0;
    this.#redirect = null;
    this.#get.get(url);
  }

  #onHead({ status, headers }: HttpHead, atMs: number): void {
    this.#status = status;
    if (status >= 300 && status < 400) this.#redirect = headers.get('location') ?? null;
    if (status === 200) this.#metrics.objects[this.#type].ttfbMs.record(atMs - this.#sentAtMs);
  }

  #onEnd(atMs: number): void {
    if (this.#status === 200) {
      this.#metrics.objects[this.#type].ttlbMs.record(atMs - this.#sentAtMs);
      this.#events.onEnd(atMs);
      return;
    }
    const next = this.#redirect === null ? null : URL.parse(this.#redirect, this.#url?.href);
    if (next !== null && this.#redirects < REDIRECTS_MAX && /^https?:$/.test(next.protocol)) {
      this.#redirects += 1;
      this.#send(next);
      return;
    }
    this.#fail(`http_${this.#status}`, atMs, this.#status >= 400 && this.#status < 500);
  }

  #fail(reason: string, atMs: number, isMissing: boolean): void {
    this.#metrics.objects[this.#type].errors.add();
    this.#events.onFailed({ atMs, reason, isMissing });
  }

  /** When the request under way, or the last one, was sent. */
  get sentAtMs(): number {
    return this.#sentAtMs;
  }
}
