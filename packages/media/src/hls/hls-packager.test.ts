import { concatBytes } from '@showfloor/media-formats';
import { expect, test } from 'vitest';
import { HlsBroadcast, recorded } from '../../test/hls-broadcast.ts';
import type { SourcePacket } from '../hub/stream.ts';

const BOTH = recorded('avc-aac-320x180.flv'); // 2 s, a keyframe each second, 25/s
const OTHER_SIZE = recorded('avc-bframes-426x240.flv'); // 1 s, pictures only, 29.97/s
const PICTURES = BOTH.filter(({ track }) => track === 'video');
const SOUND = BOTH.filter(({ track }) => track === 'audio');

test('whatever is listed can be fetched, and the parts of a segment are the segment', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH, 3);
  const { list, packager } = show;
  for (const name of [...list.segments, ...list.maps, ...list.parts]) {
    expect([name, show.bytesOf(name).length > 0]).toEqual([name, true]);
  }
  const newest = list.segments.at(-1) ?? '';
  const parts = list.parts.filter((part) => part.startsWith(newest.replace('m4s', '')));
  expect(parts).toHaveLength(5);
  expect(concatBytes(parts.map((part) => show.bytesOf(part)))).toEqual(show.bytesOf(newest));
  expect(packager.window).toMatchObject({ targetDurationMs: 1_000, partTargetMs: 201, isEnded: false });
  expect(packager.window?.multivariant.toString()).toContain(
    'CODECS="avc1.4d400c,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=25.000\nshow/index.m3u8',
  );
});

test('there is no window before the first segment is whole, then one per part and per segment', () => {
  using show = new HlsBroadcast(BOTH);
  const second = BOTH.findLastIndex(({ isKeyframe, kind }) => isKeyframe && kind === 'frames');
  show.play(BOTH.slice(0, second));
  expect(show.packager.window).toBeNull();
  expect(show.windows).toEqual([]);
  show.stream.push(BOTH[second] as SourcePacket);
  expect(show.windows.map(({ lastMsn, lastPart, lastWholeMsn }) => [lastMsn, lastPart, lastWholeMsn])).toEqual([
    [500, 4, 500],
  ]);
});

test('the hinted part is pending until it is there, the end of a segment is foreseen', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH, 2);
  let lastHint: string | null = null;
  show.packager.onChange(() => {
    const { hint, parts } = show.list;
    // A segment may end without a part: then the hint stays as it was.
    if (lastHint !== null && lastHint !== hint) expect(parts.at(-1)).toBe(lastHint);
    lastHint = hint;
    expect(show.packager.object(hint ?? '')).toBe('pending');
  });
  show.play(BOTH, 2);
  expect(lastHint).toMatch(/-508\.0\.m4s$/);
  for (const name of ['x', 'index.m3u8', '../x', String(lastHint).replace('508', '510'), `x${lastHint}`]) {
    expect(show.packager.object(name)).toBeUndefined();
  }
});

test('eight segments are listed, nine more are kept behind them', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH, 12); // 24 segments, the last one open
  const { segments, mediaSequence, hint } = show.list;
  expect([segments.length, mediaSequence]).toEqual([8, 500 + 23 - 8]);
  const run = hint?.split('-')[0];
  const isThere = (msn: number): boolean => show.bytesOf(`${run}-${msn}.m4s`).length > 0;
  expect([505, 506, 522].map(isThere)).toEqual([false, true, true]);
  expect(show.bytesOf(`${run}-506.4.m4s`).length).toBeGreaterThan(0);
  expect(show.bytesOf(`${run}-505.4.m4s`).length).toBe(0);
});

test('a stream over its bound of bytes lets its oldest segments go, and is counted', async () => {
  using show = new HlsBroadcast(BOTH, { bytesMax: 150_000 });
  show.play(BOTH, 12);
  expect(show.packager.retainedBytes).toBeLessThan(150_000 + 60_000); // and the open segment
  expect(show.list.segments.length).toBeLessThan(8);
  expect(await show.metric('media_hls_evictions_total')).toMatch(/what="segment".* [1-9]/);
});

test('a first GOP that is over the bound is let go, and the next one tried', async () => {
  using show = new HlsBroadcast(BOTH, { bytesMax: 10_000 });
  show.play(BOTH, 2);
  expect(show.packager.window).toBeNull();
  expect(await show.metric('media_hls_evictions_total')).toMatch(/what="opening".* [1-9]/);
});

test('headers that change before the first list: what came under the others is not in it', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH.slice(0, 20));
  show.play(OTHER_SIZE, 3, 33);
  expect(show.list.maps).toHaveLength(1);
  expect(show.packager.window?.multivariant.toString()).toContain('RESOLUTION=426x240');
  const pictures = OTHER_SIZE.filter(({ track, kind }) => track === 'video' && kind === 'frames');
  const [first = ''] = show.list.segments;
  const firstPicture = pictures[0]?.payload.subarray(5) ?? new Uint8Array(1);
  const mdat = Buffer.from(show.bytesOf(first)).indexOf('mdat') + 4;
  expect(Buffer.compare(show.bytesOf(first).subarray(mdat, mdat + firstPicture.length), firstPicture)).toBe(0);
});

test('sound that comes before the first picture of a late opening does not count as a picture that is lost', () => {
  using show = new HlsBroadcast(BOTH);
  for (let round = 0; round < 20; round += 1) {
    show.play(BOTH.slice(0, 20)); // other headers each time: nothing can begin
    show.play(OTHER_SIZE.slice(0, 15), 1, 33);
  }
  expect(show.stream.lastTimestampMs).toBeGreaterThan(10_000);
  const keyframe = BOTH.findIndex(({ kind, isKeyframe }) => kind === 'frames' && isKeyframe);
  const sound = BOTH.findIndex(
    ({ kind, track, timestampMs }) =>
      kind === 'frames' && track === 'audio' && timestampMs > (BOTH[keyframe]?.timestampMs ?? 0),
  );
  const soundFirst = [
    ...BOTH.slice(0, keyframe),
    ...BOTH.slice(sound, sound + 1),
    ...BOTH.slice(keyframe).filter((packet) => packet !== BOTH[sound]),
  ];
  show.play(soundFirst);
  show.play(BOTH);
  expect(show.list.maps.map((name) => name.slice(-10))).toEqual(['init-0.mp4']);
});

test('the same encoder comes back: no discontinuity, times go on, only the wall clock jumps', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH, 2);
  show.stream.interrupt();
  const atDrop = show.list;
  expect(atDrop.segments).toHaveLength(4);
  expect(show.packager.object(atDrop.hint ?? '')).toBe('pending');
  show.dropOut(8_000);
  show.play(BOTH, 2);
  const { segments, durationsMs, datesMs, maps } = show.list;
  expect(segments.some((name) => name.startsWith('!'))).toBe(false);
  expect(maps).toHaveLength(1);
  for (const durationMs of durationsMs) expect(Math.abs(durationMs - 1_000)).toBeLessThanOrEqual(41);
  const steps = datesMs.slice(1).map((date, index) => date - (datesMs[index] ?? 0));
  expect(steps.filter((step) => Math.abs(step - 1_000) > 5)).toEqual([9_000]);
});

test('nothing is added while the publisher is away', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH, 2);
  show.stream.interrupt();
  const count = show.windows.length;
  show.stream.beginSource();
  for (const packet of BOTH) if (packet.kind === 'sequence-header') show.stream.push(packet);
  expect(show.windows).toHaveLength(count);
});

test('another size comes back: a discontinuity and another init segment, counted on when they leave the list', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH, 3);
  show.dropOut(3_000);
  show.play(OTHER_SIZE, 4);
  const { segments, maps, discontinuitySequence } = show.list;
  expect(segments.filter((name) => name.startsWith('!'))).toHaveLength(1);
  expect(maps.map((name) => name.slice(-10))).toEqual(['init-0.mp4', 'init-1.mp4']);
  expect(discontinuitySequence).toBe(0); // small: players keep an array with a place for each number
  expect(show.packager.window?.multivariant.toString()).toContain('RESOLUTION=426x240,FRAME-RATE=29.970');
  const [oldMap = ''] = maps;
  show.play(OTHER_SIZE, 10);
  expect([show.list.maps.length, show.list.discontinuitySequence]).toEqual([1, 1]);
  expect(show.list.segments.some((name) => name.startsWith('!'))).toBe(false);
  expect(show.bytesOf(oldMap).length).toBeGreaterThan(0); // segments that need it are kept still
  show.play(OTHER_SIZE, 12);
  expect(show.bytesOf(oldMap).length).toBe(0);
});

test('sound whose clock runs away from the picture does not make what would fill the time between', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH, 2);
  const [sound] = SOUND.filter(({ kind }) => kind === 'frames');
  if (sound === undefined) throw new Error('no sound in the fixture');
  const pictures = PICTURES.filter(({ kind }) => kind === 'frames');
  let soundMs = 4_100;
  for (let round = 0; round < 3; round += 1) {
    for (let step = 0; step < 300; step += 1) {
      soundMs += 9_900; // no jump yet: each is taken for a pause
      show.stream.push({ ...sound, timestampMs: soundMs });
    }
    for (const picture of pictures) {
      show.stream.push({ ...picture, timestampMs: picture.timestampMs + 4_100 + round * 2_000 });
      soundMs += 23;
      show.stream.push({ ...sound, timestampMs: soundMs });
    }
  }
  for (const name of show.list.parts)
    expect([name, show.bytesOf(name).length]).toEqual([name, expect.toSatisfy((bytes: number) => bytes < 40_000)]);
  expect(show.packager.retainedBytes).toBeLessThan(2_000_000);
});

test('sound that does not come back is silence: the tracks that players were promised stay', async () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH, 2);
  show.dropOut(3_000);
  show.play(PICTURES, 3);
  show.play(BOTH, 2);
  expect(show.list.maps).toHaveLength(1);
  expect(show.list.segments.some((name) => name.startsWith('!'))).toBe(false);
  expect(await show.metric('media_hls_gaps_total{kind="silence"')).toMatch(/ 1$/);
});

test('a picture that does not come back leaves the sound, and may return', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH, 2);
  show.dropOut(3_000);
  show.play(SOUND, 2);
  expect(show.packager.window?.multivariant.toString()).toContain('CODECS="mp4a.40.2"\n');
  show.dropOut(1_000);
  show.play(BOTH, 2);
  expect(show.list.maps).toHaveLength(3);
  expect(show.list.segments.filter((name) => name.startsWith('!'))).toHaveLength(2);
  expect(show.packager.window?.multivariant.toString()).toContain('CODECS="avc1.4d400c,mp4a.40.2"');
});

test('sound alone is cut by time, every part independent', () => {
  using show = new HlsBroadcast(SOUND);
  show.play(SOUND, 4);
  const { text, parts, durationsMs, targetS } = show.list;
  expect(targetS).toBe(1);
  expect(text).toContain('#EXT-X-INDEPENDENT-SEGMENTS');
  expect(parts.length).toBeGreaterThan(10);
  expect(text.match(/INDEPENDENT=YES/g)).toHaveLength(parts.length);
  for (const durationMs of durationsMs) expect(durationMs).toBeGreaterThan(950);
});

test('pictures alone have no sound track; sound that comes later is added from a keyframe on', () => {
  using show = new HlsBroadcast(PICTURES);
  show.play(PICTURES, 2);
  expect(show.packager.window?.multivariant.toString()).toContain('CODECS="avc1.4d400c"');
  show.play(BOTH, 3);
  expect(show.list.maps).toHaveLength(2);
  expect(show.packager.window?.multivariant.toString()).toContain('CODECS="avc1.4d400c,mp4a.40.2"');
});

test('sound that begins after the pictures, within the first second, is there from the start', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH.filter(({ track, kind, timestampMs }) => track === 'video' || kind !== 'frames' || timestampMs > 700));
  show.play(BOTH, 2);
  expect(show.list.maps).toHaveLength(1);
  expect(show.packager.window?.multivariant.toString()).toContain('mp4a.40.2');
});

test('a stream that starts without a keyframe begins with its first one', () => {
  const [videoHeader, ...rest] = PICTURES;
  using show = new HlsBroadcast(BOTH);
  const late = rest.filter(({ timestampMs, kind }) => kind !== 'frames' || timestampMs > 300);
  if (videoHeader !== undefined) show.play([videoHeader, ...late, ...SOUND].toSorted(byTime), 1, 320); // and the 7 left out
  show.play(BOTH, 2);
  expect(show.list.segments.length).toBeGreaterThan(2);
  expect(show.list.text).toContain('#EXT-X-INDEPENDENT-SEGMENTS');
});

test('a first GOP without an end is waited for ten seconds, then cut: independent is what begins with a keyframe', async () => {
  let keyframes = 0;
  const endless = Array.from({ length: 10 }, (_, round) =>
    PICTURES.filter(({ kind }) => round === 0 || kind === 'frames').map((packet) => {
      if (packet.kind !== 'frames') return packet;
      keyframes += packet.isKeyframe ? 1 : 0;
      return {
        ...packet,
        isKeyframe: packet.isKeyframe && keyframes === 1,
        timestampMs: packet.timestampMs + round * 2_000,
      };
    }),
  ).flat();
  using show = new HlsBroadcast(PICTURES);
  show.play(endless.filter(({ timestampMs }) => timestampMs < 9_500));
  expect(show.packager.window).toBeNull();
  show.play(endless.filter(({ timestampMs, kind }) => timestampMs >= 9_500 && kind === 'frames').map(earlier(9_500)));
  const { text, targetS, durationsMs } = show.list;
  expect([targetS, text.includes('INDEPENDENT-SEGMENTS')]).toEqual([10, false]);
  expect(durationsMs.every((durationMs) => durationMs <= 10_450)).toBe(true);
  expect(await show.metric('media_hls_gaps_total{kind="forced_cut"')).toMatch(/ 1$/);
});

test('a segment that takes half of the memory is cut at once', async () => {
  using show = new HlsBroadcast(BOTH, { bytesMax: 40_000 });
  const heavy = BOTH.map((packet) =>
    packet.kind === 'frames' && packet.timestampMs > 1_000 && packet.track === 'video'
      ? { ...packet, payload: new Uint8Array(6_000).fill(1).map((byte, at) => packet.payload[at] ?? byte) }
      : packet,
  );
  show.play(BOTH.filter(({ timestampMs }) => timestampMs < 1_001));
  show.play(heavy.filter(({ timestampMs, kind }) => timestampMs > 1_000 && kind === 'frames').map(earlier(1_000)));
  expect(show.packager.retainedBytes).toBeLessThan(90_000);
  expect(await show.metric('media_hls_gaps_total{kind="forced_cut"')).toMatch(/ [1-9]/);
});

test('what cannot be packaged says why', () => {
  const vp6: SourcePacket = {
    track: 'video',
    kind: 'frames',
    isKeyframe: true,
    timestampMs: 0,
    payload: Uint8Array.of(0x14, 1, 2),
  };
  using noPicture = new HlsBroadcast([]);
  noPicture.stream.push(vp6);
  expect(noPicture.packager.problem).toBe('video_codec');
  const broken = BOTH.map((packet) =>
    packet.kind === 'sequence-header' && packet.track === 'video'
      ? { ...packet, payload: packet.payload.slice(0, 9) }
      : packet,
  );
  using unreadable = new HlsBroadcast(broken);
  unreadable.play(broken, 2);
  expect([unreadable.packager.problem, unreadable.packager.window]).toEqual(['video_config', null]);
  const mp3 = BOTH.flatMap((packet) =>
    packet.track === 'video'
      ? [packet]
      : packet.kind === 'frames'
        ? [{ ...packet, payload: Uint8Array.of(0x2f, 1, 2) }]
        : [],
  );
  using muted = new HlsBroadcast(mp3);
  muted.play(mp3, 2);
  expect(muted.packager.problem).toBe('audio_codec');
  expect(muted.list.segments.length).toBeGreaterThan(2);
});

test('a show that is over says so, and can be fetched', () => {
  using show = new HlsBroadcast(BOTH);
  show.play(BOTH, 2);
  show.stream.end();
  const { text, segments, hint } = show.list;
  expect(text.endsWith('#EXT-X-ENDLIST\n')).toBe(true);
  expect(hint).toBeNull();
  expect(segments).toHaveLength(4);
  for (const name of segments) expect(show.bytesOf(name).length).toBeGreaterThan(0);
  expect(show.packager.window?.isEnded).toBe(true);
  show.stream.push(BOTH.at(-1) as SourcePacket);
  expect(show.list.text).toBe(text);
});

function earlier(byMs: number): (packet: SourcePacket) => SourcePacket {
  return (packet) => ({ ...packet, timestampMs: packet.timestampMs - byMs });
}

function byTime(a: SourcePacket, b: SourcePacket): number {
  return a.timestampMs - b.timestampMs;
}
