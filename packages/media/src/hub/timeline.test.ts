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
])('%s', (_name, script, expected) => {
  expect(outputTimes(script)).toEqual(expected);
});

test('whatever publishers send, a track never goes back', () => {
  const step = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 0xff_ff_ff_ff }));
  const packet = fc.record({
    track: fc.constantFrom('video' as const, 'audio' as const),
    time: step,
    isNew: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 50 }), (packets) => {
      const timeline = new Timeline();
      const last = { video: 0, audio: 0 };
      for (const { track, time, isNew } of packets) {
        if (isNew) timeline.beginSource();
        const output = timeline.map(track, time);
        expect(output).toBeGreaterThanOrEqual(last[track]);
        last[track] = output;
      }
    }),
  );
});
