import { setTimeout as sleep } from 'node:timers/promises';
import { createMetrics } from '@showfloor/service-kit';
import { expect, test } from 'vitest';
import { recorded } from '../../test/hls-broadcast.ts';
import { GOP_LIMITS } from '../hub/gop-cache.ts';
import { Stream } from '../hub/stream.ts';
import { createHlsMetrics } from './hls-metrics.ts';
import { HLS_OPTIONS, type HlsOptions } from './hls-options.ts';
import { HlsPackagers } from './hls-packagers.ts';
import { SequenceFloor } from './sequence-floor.ts';

const CLIP = recorded('avc-aac-320x180.flv');

/** Packagers of scripted shows. */
class Shows implements Disposable {
  readonly packagers: HlsPackagers;
  readonly #registry = createMetrics('packagers-test');

  constructor(hls: Partial<HlsOptions> = {}, streamsMax = 2) {
    this.packagers = new HlsPackagers({
      hls: { ...HLS_OPTIONS, ...hls },
      metrics: createHlsMetrics(this.#registry),
      streamsMax,
      floor: new SequenceFloor(null, () => undefined),
    });
  }

  /** A show with two seconds of media, or with other packets. */
  onAir(name: string, packets = CLIP): Stream {
    const stream = new Stream(name, {
      gop: GOP_LIMITS,
      onGopOverflow: () => undefined,
      onUnreadableHeader: () => undefined,
    });
    stream.beginSource();
    for (const packet of CLIP) if (packet.kind === 'sequence-header') stream.push(packet);
    stream.goLive();
    this.packagers.start(stream);
    for (const packet of packets) stream.push(packet);
    return stream;
  }

  end(stream: Stream): void {
    stream.end();
    this.packagers.ended(stream.playbackId);
  }

  async metric(name: string): Promise<number> {
    this.packagers.sample();
    const line = (await this.#registry.metrics()).split('\n').find((one) => one.startsWith(name));
    return Number(line?.split(' ').at(-1));
  }

  [Symbol.dispose](): void {
    this.packagers.close();
  }
}

test('an ended show can be fetched for a while, and then no more', async () => {
  using shows = new Shows({ lingerMs: 50 });
  shows.end(shows.onAir('a'));
  expect(shows.packagers.find('a')?.window?.isEnded).toBe(true);
  expect(await shows.metric('media_hls_streams{state="ended"')).toBe(1);
  expect(await shows.metric('media_hls_retained_bytes')).toBeGreaterThan(10_000);
  const deadlineMs = performance.now() + 5_000;
  while (shows.packagers.find('a') !== undefined && performance.now() < deadlineMs) await sleep(5);
  expect(shows.packagers.find('a')).toBeUndefined();
  expect(await shows.metric('media_hls_retained_bytes')).toBe(0);
});

test('a show of the same name takes the place of the ended one, with higher numbers', () => {
  using shows = new Shows();
  const first = shows.onAir('a');
  shows.end(first);
  const before = shows.packagers.find('a')?.window?.lastMsn ?? 0;
  shows.onAir('a');
  const after = shows.packagers.find('a')?.window?.playlist.toString() ?? '';
  expect(Number(/MEDIA-SEQUENCE:(\d+)/.exec(after)?.[1])).toBeGreaterThan(before);
  expect(after).not.toContain('ENDLIST');
});

test('ended shows are kept up to a bound: the one that ended first goes first', () => {
  using shows = new Shows();
  for (const name of ['a', 'b', 'c', 'd']) shows.end(shows.onAir(name));
  shows.onAir('e');
  expect(['a', 'b', 'c', 'd', 'e'].filter((name) => shows.packagers.find(name) !== undefined).join('')).toBe('bcde');
});

test('a show that ended before it had a list is gone at once: nobody waits for it', () => {
  using shows = new Shows();
  const stream = shows.onAir('a', CLIP.slice(0, 20));
  expect(shows.packagers.find('a')?.window).toBeNull();
  shows.end(stream);
  expect(shows.packagers.find('a')).toBeUndefined();
});

test('all shows together keep to a bound: ended ones go first, then whoever has more than its share lets go', async () => {
  const bytesTotalMax = 150_000;
  using shows = new Shows({ bytesTotalMax }, 10);
  shows.end(shows.onAir('ended'));
  const quiet = shows.onAir('quiet');
  const quietBytes = shows.packagers.find('quiet')?.retainedBytes ?? 0;
  const loud = shows.onAir('loud');
  for (let round = 1; round <= 12; round += 1) {
    for (const packet of CLIP) loud.push({ ...packet, timestampMs: packet.timestampMs + round * 2_040 });
  }
  expect(shows.packagers.find('ended')).toBeUndefined();
  expect(shows.packagers.find('quiet')?.retainedBytes).toBe(quietBytes);
  expect(await shows.metric('media_hls_retained_bytes')).toBeLessThan(bytesTotalMax + 60_000); // and what is open
  expect(await shows.metric('media_hls_evictions_total{what="ended"')).toBe(1);
  expect(await shows.metric('media_hls_evictions_total{what="segment"')).toBeGreaterThan(5);
  expect(quiet.state).toBe('live');
});

test('the age of segments counts for shows on air only', async () => {
  using shows = new Shows();
  const stream = shows.onAir('a');
  await sleep(30);
  expect(await shows.metric('media_hls_segment_age_seconds')).toBeGreaterThan(0.02);
  stream.interrupt();
  expect(await shows.metric('media_hls_segment_age_seconds')).toBe(0);
});

test('without HLS there are no packagers', () => {
  using shows = new Shows({ isEnabled: false });
  shows.onAir('a');
  expect(shows.packagers.find('a')).toBeUndefined();
});
