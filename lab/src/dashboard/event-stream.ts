/** The open pages: Server-Sent Events, encoded once for all of them, with a bound on how many there are and how far one may lag. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DashboardFrame } from './dashboard-frame.ts';
import { PointRing, type PointRow } from './point-ring.ts';

/** Open pages at a time; another one is told so. */
export const PAGES_MAX = 32;
/** What one page may leave unread in this process before it is dropped. It comes back and is sent what it missed. */
export const QUEUE_BYTES_MAX = 1_048_576;
const RETRY_MS = 2000;
/** A page that hears nothing for a while takes the connection for dead. */
export const KEEP_ALIVE_MS = 5000;

/** How the pages fared. */
export type PageCounters = {
  readonly open: number;
  readonly framesSent: number;
  /** Turned away because {@link PAGES_MAX} were open. */
  readonly refused: number;
  /** Dropped because they read too slowly. */
  readonly dropped: number;
};

/** One dashboard; its owner calls `end()`. */
export class EventStream {
  readonly #pages = new Set<ServerResponse>();
  readonly #ring = new PointRing();
  readonly #keepAlive = setInterval(() => this.#write(message('beat', {})), KEEP_ALIVE_MS);
  #latest: DashboardFrame | null = null;
  #sequence = 0;
  #framesSent = 0;
  #refused = 0;
  #dropped = 0;

  constructor() {
    this.#keepAlive.unref();
  }

  get counters(): PageCounters {
    return { open: this.#pages.size, framesSent: this.#framesSent, refused: this.#refused, dropped: this.#dropped };
  }

  /** Answers with an endless body: first all there is (or what came after `Last-Event-ID`), then each frame. */
  open(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    if (this.#pages.size >= PAGES_MAX) {
      this.#refused += 1;
      const reason = `${PAGES_MAX} pages of this dashboard are open, and that is the most: close one`;
      response.end(message('refused', { reason }));
      return;
    }
    this.#pages.add(response);
    response.on('close', () => this.#pages.delete(response));
    response.on('error', () => this.#pages.delete(response));
    response.write(`retry: ${RETRY_MS}\n\n`);
    if (this.#latest !== null) response.write(this.#snapshot(this.#latest, request.headers['last-event-id']));
  }

  /** Sends a frame to every page, and keeps it for those that come later. */
  push(frame: DashboardFrame): void {
    if (this.#latest !== null && this.#latest.runId !== frame.runId) this.#ring.clear();
    this.#sequence += 1;
    this.#framesSent += 1;
    this.#latest = frame;
    this.#ring.add({ sequence: this.#sequence, atMs: frame.atMs, points: frame.points });
    this.#write(message('frame', { frame, pages: this.counters }, this.#id(frame)));
  }

  /** Tells every page that nothing comes any more, and closes them. */
  end(): void {
    clearInterval(this.#keepAlive);
    for (const page of this.#pages) page.end(message('end', {}));
    this.#pages.clear();
  }

  #write(text: string): void {
    for (const page of this.#pages) {
      if (page.writableLength > QUEUE_BYTES_MAX) {
        this.#dropped += 1;
        this.#pages.delete(page);
        page.destroy();
      } else page.write(text);
    }
  }

  #snapshot(frame: DashboardFrame, lastEventId: string | string[] | undefined): string {
    const missed = this.#missed(frame, String(lastEventId ?? ''));
    const rows = (missed ?? this.#ring.rows).map(({ atMs, points }) => [atMs, points] as const);
    return message('snapshot', { isWhole: missed === null, rows, frame, pages: this.counters }, this.#id(frame));
  }

  #missed({ runId }: DashboardFrame, lastEventId: string): readonly PointRow[] | null {
    const [, run, sequence] = /^(.+)\.(\d{1,12})$/.exec(lastEventId) ?? [];
    return run === runId ? this.#ring.after(Number(sequence)) : null;
  }

  #id({ runId }: DashboardFrame): string {
    return `${runId}.${this.#sequence}`;
  }
}

/** JSON has no line breaks, so that one `data:` line holds it. */
function message(event: string, data: unknown, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
