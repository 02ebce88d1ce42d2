import type { Browser, Page } from 'playwright-core';
import type { Floor } from './floor.ts';
import { waitFor } from './wait-for.ts';

/** What `?player=` takes. */
export type PlayerChoice = 'auto' | 'flv' | 'll-hls' | 'hls';

/** The three ways a picture is promised by, as the page is asked for them. */
export const PLAYERS = ['flv', 'll-hls', 'hls'] as const satisfies readonly PlayerChoice[];

/** What the player says of itself on the page. Empty strings of the page are null here. */
export type PlayerFacts = {
  readonly state: string;
  readonly slate: string;
  readonly mode: string;
  /** Ingest wall clock of the picture. */
  readonly playheadWallMs: number | null;
  readonly latencyMs: number | null;
  /** From asking for the stream to its first picture. */
  readonly joinMs: number | null;
  /** Times that the player asked for the stream. */
  readonly loads: number;
};

/** A time without a new frame on the screen, on the clock of this machine. */
type Gap = { readonly fromMs: number; readonly toMs: number };

/** Small: what a software renderer takes for a picture goes by its size on the screen, and three are watched at once. */
const VIEWPORT = { width: 400, height: 300 };

/** Shorter than this is a slow machine, not a gap. */
const GAP_MS_MIN = 800;

/** Whoever waits for an event by asking learns of it this much later at most. */
const NOTICED_LATE_MS = 500;

/**
 * Runs in the page: notes each frame that is shown, and the gaps between them. The element outlives every load of the player, so this
 * goes on as long as the page is the same one.
 */
const RECORDER = `(() => {
  const record = window.shownFrames = { count: 0, lastAtMs: 0, gaps: [] };
  const onFrame = (video) => {
    const nowMs = Date.now();
    if (record.lastAtMs > 0 && nowMs - record.lastAtMs >= ${GAP_MS_MIN}) record.gaps.push({ fromMs: record.lastAtMs, toMs: nowMs });
    record.lastAtMs = nowMs;
    record.count += 1;
    video.requestVideoFrameCallback(() => onFrame(video));
  };
  const find = () => {
    const video = document.querySelector('[data-testid=video]');
    if (video === null) setTimeout(find, 20);
    else video.requestVideoFrameCallback(() => onFrame(video));
  };
  find();
})()`;

export type WatchOptions = {
  readonly playbackId?: string;
  readonly player?: PlayerChoice;
  /** Before the page is opened: routes, init scripts. */
  readonly prepare?: (page: Page) => Promise<unknown>;
};

/** One open watch page; `startedAtMs` is when it was asked for. */
export class Watch {
  readonly page: Page;
  readonly startedAtMs: number;
  /** URLs that the page asked for. */
  readonly requests: readonly string[];
  readonly #errors: readonly Error[];

  private constructor(page: Page, requests: readonly string[], errors: readonly Error[], startedAtMs: number) {
    this.page = page;
    this.requests = requests;
    this.#errors = errors;
    this.startedAtMs = startedAtMs;
  }

  static async open(browser: Browser, floor: Floor, options: WatchOptions = {}): Promise<Watch> {
    const context = await browser.newContext({ viewport: VIEWPORT });
    const page = await context.newPage();
    const requests: string[] = [];
    const errors: Error[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => errors.push(error));
    await page.addInitScript(RECORDER);
    await options.prepare?.(page);
    const { playbackId = 'demo', player = 'auto' } = options;
    const startedAtMs = Date.now();
    await page.goto(`${floor.webUrl}/live/${playbackId}?player=${player}`, { waitUntil: 'commit' });
    await page.evaluate('window.isSamePage = true');
    return new Watch(page, requests, errors, startedAtMs);
  }

  /** Closes the page. Throws what the page threw while it was open. */
  async close(): Promise<void> {
    await this.page.context().close();
    if (this.#errors.length > 0) throw new AggregateError(this.#errors, `the page threw: ${this.#errors.join('; ')}`);
  }

  /** Resolves, with the milliseconds it took, once the picture moves: frames are shown and the element's time goes on. */
  async moves(timeoutMs = 20_000): Promise<number> {
    const fromMs = Date.now();
    const [time, frames] = await Promise.all([this.currentTime(), this.shownFrames()]);
    await waitFor(
      `the picture to move (${JSON.stringify(await this.facts())})`,
      async () => (await this.shownFrames()) > frames + 5 && (await this.currentTime()) !== time,
      timeoutMs,
    );
    return Date.now() - fromMs;
  }

  facts(): Promise<PlayerFacts> {
    return this.page.evaluate<PlayerFacts>(`(() => {
      const data = document.querySelector('[data-testid=player]')?.dataset ?? {};
      const number = (text) => (text === undefined || text === '' ? null : Number(text));
      return {
        state: data.playerState ?? '', slate: data.slate ?? '', mode: data.mode ?? '',
        playheadWallMs: number(data.playheadWallMs), latencyMs: number(data.latencyMs), joinMs: number(data.joinMs),
        loads: number(data.loads) ?? 0,
      };
    })()`);
  }

  currentTime(): Promise<number> {
    return this.page.evaluate('document.querySelector("[data-testid=video]")?.currentTime ?? 0');
  }

  /** Frames the decoder has made, by the element's own count: starts again with each load. */
  decodedFrames(): Promise<number> {
    return this.page.evaluate(
      'document.querySelector("[data-testid=video]")?.getVideoPlaybackQuality().totalVideoFrames ?? 0',
    );
  }

  shownFrames(): Promise<number> {
    return this.page.evaluate('window.shownFrames.count');
  }

  /**
   * When the picture was back after `sinceMs`: the end of the first gap that reaches beyond it, or `sinceMs` itself when there is none. Waits
   * until frames have been shown for `settledMs` after it, so that a buffer that still plays on is not mistaken for a picture that is back.
   */
  async backAt(sinceMs: number, settledMs: number, timeoutMs = 40_000): Promise<number> {
    return waitFor(
      `the picture to be back (${JSON.stringify(await this.facts())})`,
      async () => {
        const { lastAtMs, gaps } = await this.page.evaluate<{ lastAtMs: number; gaps: Gap[] }>('window.shownFrames');
        const gap = gaps.find(({ toMs }) => toMs > sinceMs - NOTICED_LATE_MS);
        const backMs = Math.max(gap?.toMs ?? 0, sinceMs);
        return lastAtMs >= backMs + settledMs ? backMs : false;
      },
      timeoutMs,
    );
  }

  /** False: the page was loaded again meanwhile. */
  isSamePage(): Promise<boolean> {
    return this.page.evaluate('window.isSamePage === true');
  }
}
