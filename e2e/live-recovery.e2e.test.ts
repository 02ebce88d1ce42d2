import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from './browser.ts';
import { type Floor, startFloor } from './floor.ts';
import { keepDown } from './outage.ts';
import { waitFor } from './wait-for.ts';
import { PLAYERS, type PlayerChoice, Watch } from './watch.ts';

/**
 * One page per way of playing, watched through everything that happens to the video plane; none of them is ever loaded again.
 * LIVE_DROPS_SECONDS says how long the publisher is away, each time (in full: 1,8,60,90).
 */
const DROPS_SECONDS = (process.env.LIVE_DROPS_SECONDS ?? '1,8').split(',').map(Number);

/** V5: from the publisher's return to a new frame on the screen. */
const BACK_MS_MAX = 3_000;
/** V6: from the media server being ready to a new frame on the screen. */
const RESTART_MS_MAX = 10_000;

/** A buffer that plays on is empty after this. */
const SETTLED_MS = 3_500;

/** No way of playing has more than this before it. */
const BUFFER_SECONDS_MAX = 8;

let floor: Floor;
let browser: Browser;
const watches = new Map<PlayerChoice, Watch>();

beforeAll(async () => {
  if (!hasBrowser) return;
  floor = await startFloor();
  browser = await launchBrowser();
  await waitFor('the demo show to be on air in HLS', async () => (await fetch(`${floor.videoUrl}/live/demo.m3u8`)).ok);
  for (const player of PLAYERS) watches.set(player, await Watch.open(browser, floor, { player }));
  await everyone((watch) => watch.moves());
});
afterAll(async () => {
  await everyone((watch) => watch.close());
  await browser?.close();
  await floor?.stop();
});

describe.skipIf(!hasBrowser)('the picture comes back without a reload', () => {
  test.each(DROPS_SECONDS)('V5 the publisher is gone for %d s', async (seconds) => {
    const outage = keepDown(floor, 'demo-publisher');
    await waitFor('the stream to be without a publisher', async () => !(await isPublishing()));
    const goneAtMs = Date.now();
    await sleep(seconds * 1_000);
    if (seconds >= BUFFER_SECONDS_MAX) await everyone(showsSlate('interrupted'));
    const back = returnOfPublisher();
    await outage.end();
    const backAtMs = await back;
    const waits = await everyone(async (watch) => (await watch.backAt(backAtMs, SETTLED_MS)) - backAtMs);
    print(`publisher gone ${((backAtMs - goneAtMs) / 1_000).toFixed(1)} s: picture back after ${shown(waits)}`);
    for (const [player, waitMs] of waits) expect(waitMs, player).toBeLessThanOrEqual(BACK_MS_MAX);
    await everyoneStays();
  });

  test('V6 kill -9 of the media server: playing again within 10 s of its restart', async () => {
    const killed = floor.kill('media-server');
    await floor.restarted('media-server', killed);
    const readyAtMs = Date.now();
    const waits = await everyone(async (watch) => (await watch.backAt(readyAtMs, SETTLED_MS)) - readyAtMs);
    print(`media server restarted: picture back after ${shown(waits)}`);
    for (const [player, waitMs] of waits) expect(waitMs, player).toBeLessThanOrEqual(RESTART_MS_MAX);
    await everyoneStays();
  });

  test('V6 the media server stays away for a while: the slate says so, then the picture is back', async () => {
    const outage = keepDown(floor, 'media-server');
    await everyone(showsSlate('unreachable', 'interrupted'));
    await outage.end();
    const readyAtMs = Date.now();
    const waits = await everyone(async (watch) => (await watch.backAt(readyAtMs, SETTLED_MS)) - readyAtMs);
    print(`media server away: picture back after ${shown(waits)}`);
    for (const [player, waitMs] of waits) expect(waitMs, player).toBeLessThanOrEqual(RESTART_MS_MAX);
    await everyoneStays();
  });
});

/** Plays on for a moment, by the way it was asked for, without a slate, on the page that was opened at the start. */
async function everyoneStays(): Promise<void> {
  await everyone(async (watch, player) => {
    await watch.moves();
    await waitFor(`${player} to play without a slate`, async () => {
      const { mode, slate } = await watch.facts();
      return mode === player && slate === 'none';
    });
    expect(await watch.isSamePage()).toBe(true);
  });
}

function showsSlate(...slates: readonly string[]): (watch: Watch) => Promise<boolean> {
  return (watch) => waitFor('the slate', async () => slates.includes((await watch.facts()).slate), 30_000);
}

async function everyone<T>(look: (watch: Watch, player: PlayerChoice) => Promise<T>): Promise<[PlayerChoice, T][]> {
  return Promise.all(
    [...watches].map(async ([player, watch]) => [player, await look(watch, player)] as [PlayerChoice, T]),
  );
}

/** The wall clock when the media server has its publisher again: before its first keyframe. */
async function returnOfPublisher(): Promise<number> {
  await waitFor('the publisher to be back', isPublishing, 30_000);
  return Date.now();
}

async function isPublishing(): Promise<boolean> {
  const answer = await fetch(`${floor.admin.media}/api/v1/streams/`);
  const { streams } = (await answer.json()) as { streams: { name: string; publish: { active: boolean } }[] };
  return streams.some(({ name, publish }) => name === 'demo' && publish.active);
}

function shown(waits: readonly (readonly [PlayerChoice, number])[]): string {
  return waits.map(([player, waitMs]) => `${player} ${waitMs} ms`).join(', ');
}

/** Figures of a run belong to its output, also when it passes. */
function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
