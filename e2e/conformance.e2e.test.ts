import { checkHls, type HlsOrigin, openHttp1Origin, openHttp2Origin } from '@showfloor/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Floor, startFloor } from './floor.ts';
import { hasNginx, type NginxProxy, startNginxProxy } from './nginx.ts';
import { waitFor } from './wait-for.ts';

/** How long each stream is followed. */
const SECONDS = 12;

let floor: Floor;

beforeAll(async () => {
  floor = await startFloor();
  await waitFor('the demo show as HLS', async () => (await fetch(`${floor.videoUrl}/live/demo/index.m3u8`)).ok, 30_000);
}, 90_000);

afterAll(async () => floor.stop());

async function follow(origin: HlsOrigin, base: string): Promise<void> {
  try {
    const report = await checkHls({ url: `${base}/live/demo.m3u8`, origin, seconds: SECONDS });
    // How prompt an answer is depends on what else the machine does; the benchmarks judge that.
    expect(report.book.findings.filter(({ rule }) => rule !== 'block.in-time')).toEqual([]);
    expect(report).toMatchObject({ protocol: origin.protocol, isLowLatency: true });
    // Nothing passes for want of having been looked at: five parts a second, a segment a second.
    expect(report.parts).toBeGreaterThan(SECONDS * 4);
    expect(report.segments).toBeGreaterThanOrEqual(SECONDS - 3);
    for (const rule of ['block.contains', 'object.hint-served', 'parts.equal-segment', 'media.timeline'] as const) {
      expect([rule, report.book.checksOf(rule) > SECONDS / 2]).toEqual([rule, true]);
    }
  } finally {
    origin.close();
  }
}

test('V8 the demo show keeps every rule of LL-HLS by HTTP/1.1', { timeout: 60_000 }, async () => {
  await follow(openHttp1Origin(), floor.videoUrl);
});

describe.skipIf(!hasNginx && process.env.CI !== 'true')('behind nginx', () => {
  let proxy: NginxProxy;
  beforeAll(async () => {
    proxy = await startNginxProxy(floor.videoUrl);
  });
  afterAll(async () => proxy.stop());

  test('V8 the demo show keeps every rule of LL-HLS by HTTP/2 and TLS', { timeout: 60_000 }, async () => {
    await follow(openHttp2Origin(new URL(proxy.url), { ca: proxy.ca }), proxy.url);
  });
});
