import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Timeline } from './timeline.ts';

/** `v0 v33 a20` are packets with publisher times, `|` is a new publisher; returns the output times. */
function outputTimes(script: string): number[] {
  const timeline = new Timeline();
  return script.split(/\s+/).flatMap((word) => {
    if (word === '|') {
      timeline.beginSource();
      return [];
    }
    return [timeline.map(word.startsWith('v') ? 'video' : 'audio', Number(word.slice(1)))];
  });
}

test.each([
  ['the first publisher starts at 0, wherever its clock is', 'v5000 v5040 v5080', [0, 40, 80]],
  ['tracks keep their distance', 'v0 a10 v40 a33', [0, 10, 40, 33]],
  ['a new publisher goes on one frame after the last', 'v0 v40 v80 | v0 v40', [0, 40, 80, 120, 160]],
  ['also when its clock is far ahead', 'v0 v33 | v900000 v900033', [0, 33, 66, 99]],
  ['a clock that jumps is closed up like a change of publisher', 'v0 v33 v3600000 v3600033', [0, 33, 66, 99]],
  ['a clock that falls back to 0 too', 'v9000 v9033 v0 v33', [0, 33, 66, 99]],
  ['the 32-bit wrap is no jump', 'v4294967280 v17 v50', [0, 33, 66]],
  [
    'tracks that arrive seconds apart keep their distance and their pace',
    'v3000 a0 v3033 a33 v3066 a66 v3099 a3000 v3132 a3033',
    [0, 0, 33, 1, 66, 2, 99, 3, 132, 33],
  ],
  [
    'a sound that comes late by seconds too',
    'v0 v33 v5000 a100 v5033 a133 a5000 v5066 a5033',
    [0, 33, 5000, 100, 5033, 133, 5000, 5066, 5033],
  ],
  [
    'a track on another clock goes its own way from the present on',
    'v0 v33 a900000 v66 a900033 v100',
    [0, 33, 33, 66, 66, 100],
  ],
  [
    'a jump of all tracks is closed up once',
    'v0 a10 v33 a43 v3600000 a3600010 v3600033 a3600043',
    [0, 10, 33, 43, 76, 86, 109, 119],
  ],
  [
    'sound of before a jump that comes after its picture is no second jump',
    'v0 a10 v33 a43 v3600000 a76 v3600033 a3600010',
    [0, 10, 33, 43, 76, 76, 109, 86],
  ],
  [
    'one track that jumps alone is closed up alone',
    'v0 a0 v33 a33 v66 a900000 v100 a900033',
    [0, 0, 33, 33, 66, 99, 100, 132],
  ],
  ['a wrap between tracks is no jump', 'v4294967290 a5 v37 a38', [0, 11, 43, 44]],
])('%s', (_name, script, expected) => {
  expect(outputTimes(script)).toEqual(expected);
});

test('whatever publishers send, a track goes on', () => {
  const step = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 0xff_ff_ff_ff }));
  const packet = fc.record({
    track: fc.constantFrom('video' as const, 'audio' as const),
    time: step,
    isNew: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 50 }), (packets) => {
      const timeline = new Timeline();
      const last = { video: -1, audio: -1 };
      for (const { track, time, isNew } of packets) {
        if (isNew) timeline.beginSource();
        const output = timeline.map(track, time);
        expect(output).toBeGreaterThan(last[track]);
        last[track] = output;
      }
    }),
  );
});

test('the output clock keeps the pace of the publisher, however far apart its tracks are', () => {
  const start = fc.integer({ min: 0, max: 0xff_ff_ff_ff });
  const apart = fc.integer({ min: -9_000, max: 9_000 });
  fc.assert(
    fc.property(start, apart, fc.integer({ min: 2, max: 400 }), (startMs, apartMs, packets) => {
      const timeline = new Timeline();
      for (let index = 0; index < packets; index += 1) {
        timeline.map('video', (startMs + index * 33) >>> 0);
        timeline.map('audio', (startMs + apartMs + index * 33) >>> 0);
      }
      expect(timeline.lastMs).toBeLessThanOrEqual(Math.max(0, apartMs) + packets * 33);
    }),
  );
});
