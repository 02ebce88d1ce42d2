import { expect, test } from 'vitest';
import { AudioClock } from './audio-clock.ts';

const DATA = Uint8Array.of(1);

/** Places frames at these ms; returns where they begin, in ms of the samples before them. */
function place(
  timesMs: readonly number[],
  sampleRateHz = 48_000,
): { startsMs: number[]; story: string; clock: AudioClock } {
  const clock = new AudioClock(sampleRateHz, 1_024);
  const startsMs: number[] = [];
  let story = '';
  for (const timeMs of timesMs) {
    const { sound, placement } = clock.place(DATA, timeMs);
    story += placement.charAt(0);
    if (sound !== null) startsMs.push((sound.startSamples * 1_000) / sampleRateHz);
  }
  return { startsMs, story, clock };
}

/** An encoder whose clock runs `drift` fast, with whole ms. */
function drifting(count: number, drift: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.round((index * 1_024 * (1 + drift)) / 48));
}

test('rounded timestamps become exact: an hour of sound is not a sample off', () => {
  const { clock, story } = place(drifting(168_750, 0));
  expect(clock.nextSamples).toBe(168_750 * 1_024);
  expect(story).toMatch(/^s+$/);
});

test.each([0.002, -0.002])('a drift of %f is followed within 45 ms', (drift) => {
  const timesMs = drifting(20_000, drift);
  const { startsMs, story } = place(timesMs);
  expect(story).toMatch(/^s+$/);
  const off = startsMs.map((startMs, index) => Math.abs(startMs - (timesMs[index] ?? 0)));
  expect(Math.max(...off)).toBeLessThan(45);
});

test('a gap stays a gap, what comes again is dropped', () => {
  const { startsMs, story } = place([0, 21, 43, 1_064, 1_085, 300, 1_107]);
  expect(story).toBe('sssgsds');
  expect(startsMs[3]).toBe(1_064);
});

test('jitter of 20 ms changes nothing', () => {
  const timesMs = drifting(500, 0).map((timeMs, index) => timeMs + ((index * 7) % 20));
  expect(place(timesMs).clock.nextSamples).toBe(500 * 1_024);
});
