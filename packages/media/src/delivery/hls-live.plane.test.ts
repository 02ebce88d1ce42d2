import { expect, test } from 'vitest';
import { PlaneUnderTest, until } from '../../test/plane-under-test.ts';

type Edge = Readonly<{ msn: number; part: number; text: string }>;

/** The newest part that a playlist lists. */
function edgeOf(text: string): Edge {
  const [, msn, part] = [...text.matchAll(/#EXT-X-PART:.*URI="[^"]*-(\d+)\.(\d+)\.m4s"/g)].at(-1) ?? [];
  return { msn: Number(msn), part: Number(part), text };
}

class Player {
  readonly #base: string;
  constructor(floor: PlaneUnderTest, playbackId: string, prefix = '/live') {
    this.#base = `http://127.0.0.1:${floor.plane.httpPort}${prefix}/${playbackId}`;
  }

  /** A list's URL as a player finds it: by the multivariant playlist, relative. */
  async listUrl(): Promise<string> {
    const url = `${this.#base}.m3u8`;
    const response = await fetch(url);
    const uri = (await response.text()).split('\n').find((line) => line !== '' && !line.startsWith('#')) ?? '';
    return new URL(uri, url).href;
  }

  async next(listUrl: string, { msn, part }: Edge): Promise<{ status: number; edge: Edge; heldMs: number }> {
    const beganMs = performance.now();
    const response = await fetch(`${listUrl}?_HLS_msn=${msn}&_HLS_part=${part + 1}`);
    return { status: response.status, edge: edgeOf(await response.text()), heldMs: performance.now() - beganMs };
  }
}

test('a player follows a published stream part by part, under both paths', async () => {
  await using floor = await PlaneUnderTest.start();
  await floor.onAir('show-ll');
  for (const prefix of ['/live', '/live/live']) {
    const player = new Player(floor, 'show-ll', prefix);
    const listUrl = await player.listUrl(); // held until there is a list
    expect(new URL(listUrl).pathname).toBe(`${prefix}/show-ll/index.m3u8`);
    let edge = edgeOf(await (await fetch(listUrl)).text());
    for (let step = 0; step < 8; step += 1) {
      const { status, edge: newest } = await player.next(listUrl, edge);
      expect(status).toBe(200);
      expect(newest.msn * 100 + newest.part).toBeGreaterThan(edge.msn * 100 + edge.part);
      edge = newest;
    }
    const uris = [...edge.text.matchAll(/^([\w.-]+\.m4s)$/gm), ...edge.text.matchAll(/URI="([^"]+)"/g)].map(
      ([, uri]) => uri ?? '',
    );
    const sizes = await Promise.all(
      [...new Set(uris)].map(async (uri) => {
        const response = await fetch(new URL(uri, listUrl)); // the hinted part too: it is waited for
        return [uri, response.status, (await response.arrayBuffer()).byteLength > 0];
      }),
    );
    expect(sizes.length).toBeGreaterThan(8);
    expect(sizes).toEqual(sizes.map(([uri]) => [uri, 200, true]));
  }
});

test('through the grace window lists are answered in time, and the return is told to who waits', async () => {
  await using floor = await PlaneUnderTest.start({ graceMs: 20_000 });
  const first = await floor.onAir('show-grace');
  const player = new Player(floor, 'show-grace');
  const listUrl = await player.listUrl();
  await first.stop();
  await until('the interruption', () => floor.story.includes('interrupted'));
  let edge = edgeOf(await (await fetch(listUrl)).text());
  for (let round = 0; round < 3; round += 1) {
    const { status, edge: same, heldMs } = await player.next(listUrl, edge);
    expect([status, same.msn, same.part]).toEqual([200, edge.msn, edge.part]);
    expect(heldMs).toBeGreaterThan(300);
    expect(heldMs).toBeLessThan(1_600); // hls.js gives up after 0.8 target durations, here 2 s
    edge = same;
  }
  floor.publish('show-grace');
  const newest = await until('a new part', async () => {
    const { edge: now } = await player.next(listUrl, edge);
    return now.msn > edge.msn || (now.msn === edge.msn && now.part > edge.part) ? now : null;
  });
  expect(newest?.msn).toBeGreaterThanOrEqual(edge.msn);
  expect(floor.story).toEqual(['started', 'interrupted', 'resumed']);
});

test('when the show is over its list says so for a while, and whoever waits is told at once', async () => {
  await using floor = await PlaneUnderTest.start({ graceMs: 300 });
  const loop = await floor.onAir('show-over');
  const player = new Player(floor, 'show-over');
  const listUrl = await player.listUrl();
  await loop.stop();
  await until('the end', () => floor.story.includes('ended'));
  const ended = await fetch(listUrl);
  expect([ended.status, (await ended.text()).trimEnd().endsWith('#EXT-X-ENDLIST')]).toEqual([200, true]);
});

test('connections of HLS viewers count against the bound', async () => {
  await using floor = await PlaneUnderTest.start({ connectionsMax: 3 });
  await floor.onAir('show-bound');
  const url = `http://127.0.0.1:${floor.plane.httpPort}/live/show-bound.m3u8`;
  const asked = await Promise.all(Array.from({ length: 6 }, () => fetch(url)));
  expect(asked.filter(({ status }) => status === 200)).toHaveLength(2); // and the publisher
  expect(asked.filter(({ status }) => status === 503)).toHaveLength(4);
});
