import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from './browser.ts';
import { type Floor, startFloor } from './floor.ts';
import { waitFor } from './wait-for.ts';
import { PLAYERS, type PlayerChoice, Watch } from './watch.ts';

/**
 * The live page in Chromium by each way of playing. LIVE_WATCH_SECONDS and LIVE_JOINS enlarge the sample of V2 (per way of
 * playing: seconds watched, times joined).
 */
const WATCH_SECONDS = Number(process.env.LIVE_WATCH_SECONDS ?? 5);
const JOINS = Number(process.env.LIVE_JOINS ?? 3);
const SAMPLE_PERIOD_MS = 200;

/** V2, in milliseconds. */
const LATENCY_P95_MAX = { flv: 2_000, 'll-hls': 3_500, hls: 8_000 } as const;
const JOIN_P95_MAX = 1_500;

let floor: Floor;
let browser: Browser;

beforeAll(async () => {
  if (!hasBrowser) return;
  floor = await startFloor();
  browser = await launchBrowser();
  await waitFor('the demo show to be on air in HLS', async () => (await fetch(`${floor.videoUrl}/live/demo.m3u8`)).ok);
});
afterAll(async () => {
  await browser?.close();
  await floor?.stop();
});

describe.skipIf(!hasBrowser)('live-hls-playback', () => {
  test.each(PLAYERS)('G-74 the live page plays by %s', async (player) => {
    const watch = await Watch.open(browser, floor, { player });
    await waitFor('currentTime > 0', async () => (await watch.currentTime()) > 0);
    print(`${player}: currentTime > 0 after ${Date.now() - watch.startedAtMs} ms`);
    await watch.moves();
    const decoded = await watch.decodedFrames();
    await waitFor('decoded frames to grow', async () => (await watch.decodedFrames()) > decoded + 30);
    expect((await watch.facts()).mode).toBe(player);
    await watch.close();
  });

  test.each(PLAYERS)('V2 glass latency and join by %s', async (player) => {
    const joins = await joinTimes(player);
    const latencies = await latencySample(player);
    const latencyMs = p95(latencies);
    const joinMs = p95(joins);
    print(
      `${player}: latency p95 ${latencyMs} ms (${latencies.length} samples), join p95 ${joinMs} ms (${joins.length})`,
    );
    expect(latencyMs).toBeLessThanOrEqual(LATENCY_P95_MAX[player]);
    expect(joinMs).toBeLessThanOrEqual(JOIN_P95_MAX);
  });

  test('the viewer sees how far behind the picture is, and changes the way of playing by keyboard', async () => {
    const watch = await Watch.open(browser, floor);
    await watch.moves();
    await waitFor('the delay', async () =>
      /Live · \d\.\d s/.test(await watch.page.getByTestId('live-delay').innerText()),
    );
    const menu = watch.page.getByTestId('player-menu');
    await menu.focus();
    await watch.page.keyboard.press('Enter');
    await watch.page.getByTestId('player-auto').waitFor();
    await watch.page.keyboard.press('Tab');
    for (const mode of PLAYERS) {
      await watch.page.keyboard.press('ArrowDown');
      await waitFor(`${mode} to play`, async () => {
        const { mode: now, state } = await watch.facts();
        return now === mode && state === 'playing';
      });
      await watch.moves();
    }
    await watch.page.keyboard.press('Escape');
    expect(await menu.evaluate('document.activeElement?.dataset.testid')).toBe('player-menu');
    expect(await watch.page.getByTestId('player-auto').isVisible()).toBe(false);
    await watch.close();
  });
});

async function joinTimes(player: PlayerChoice): Promise<number[]> {
  const times: number[] = [];
  for (let join = 0; join < JOINS; join += 1) {
    const watch = await Watch.open(browser, floor, { player });
    times.push(await waitFor('the first picture', async () => (await watch.facts()).joinMs));
    await watch.close();
  }
  return times;
}

async function latencySample(player: PlayerChoice): Promise<number[]> {
  const watch = await Watch.open(browser, floor, { player });
  await watch.moves();
  const latencies: number[] = [];
  await waitFor(
    'the sample',
    async () => {
      const { latencyMs } = await watch.facts();
      if (latencyMs !== null) latencies.push(latencyMs);
      await watch.page.waitForTimeout(SAMPLE_PERIOD_MS);
      return latencies.length >= (WATCH_SECONDS * 1_000) / SAMPLE_PERIOD_MS;
    },
    WATCH_SECONDS * 3_000 + 5_000,
  );
  expect(await watch.isSamePage()).toBe(true);
  await watch.close();
  return latencies;
}

function p95(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.ceil(sorted.length * 0.95), sorted.length) - 1] ?? Number.NaN;
}

/** Figures of a run belong to its output, also when it passes. */
function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
