import { expect, test } from 'vitest';
import { GopCache } from './gop-cache.ts';

/** K keyframe, p other picture, a sound; each of 10 bytes. Returns what a joiner would get and how often it overflowed. */
function cached(script: string, limits = { packetsMax: 100, bytesMax: 1_000 }): [string, number] {
  let overflows = 0;
  const cache = new GopCache(limits, () => {
    overflows += 1;
  });
  for (const letter of script) {
    const track = letter === 'a' ? 'audio' : 'video';
    cache.add({ track, kind: 'frames', isKeyframe: letter === 'K', timestampMs: 0, payload: new Uint8Array(10) });
  }
  const letters = cache.packets.map((packet) => (packet.track === 'audio' ? 'a' : packet.isKeyframe ? 'K' : 'p'));
  return [letters.join(''), overflows];
}

test.each([
  ['a joiner gets everything since the latest keyframe', 'paKpapKpa', undefined, 'Kpa', 0],
  ['nothing before the first keyframe', 'pap', undefined, '', 0],
  ['a GOP with too many packets is let go until the next keyframe', 'Kpppp', { packetsMax: 4, bytesMax: 1_000 }, '', 1],
  ['the next one is cached again', 'KppppKp', { packetsMax: 4, bytesMax: 1_000 }, 'Kp', 1],
  ['a GOP with too many bytes likewise', 'Kppp', { packetsMax: 100, bytesMax: 35 }, '', 1],
])('%s', (_name, script, limits, expected, overflows) => {
  expect(cached(script, limits)).toEqual([expected, overflows]);
});
