import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamClock } from './stream-clock.ts';

const STARTED_MS = 1_700_000_000_000;
const FRAME_MS = 40;

type Sender = {
  readonly clock: StreamClock;
  /** Monotonic time of now, output time of the next packet. */
  nowMs: number;
  timestampMs: number;
  /** How far someone has set the system clock since the start. */
  systemMs: number;
  lastArrivalMs: number;
  /** How late each packet was. */
  readonly latenessMs: number[];
};

function sender(): Sender {
  return { clock: new StreamClock(), nowMs: 10_000, timestampMs: 0, systemMs: 0, lastArrivalMs: 0, latenessMs: [] };
}

/** Sends for `seconds`; each packet is held up by what `delayMs` says. `pace` is the encoder's clock against ours. */
function send(from: Sender, seconds: number, delayMs: (index: number) => number = () => 0, pace = 1): void {
  const frames = Math.round((seconds * 1000) / FRAME_MS);
  for (let index = 0; index < frames; index += 1) {
    from.lastArrivalMs = Math.max(from.lastArrivalMs, from.nowMs + delayMs(index)); // TCP keeps the order
    from.latenessMs.push(from.lastArrivalMs - from.nowMs);
    const wallMs = STARTED_MS + from.lastArrivalMs + from.systemMs;
    from.clock.observe(from.timestampMs, { monotonicMs: from.lastArrivalMs, wallMs });
    from.nowMs += FRAME_MS;
    from.timestampMs += FRAME_MS * pace;
  }
}

/** How far the label of the next packet is from the truth. */
function errorMs(from: Sender): number {
  return from.clock.wallClockAt(from.timestampMs) - (STARTED_MS + from.nowMs + from.systemMs);
}

describe('the wall clock of a stream', () => {
  test('is that of the first packets, whatever the network does later', () => {
    const from = sender();
    send(from, 3);
    expect(errorMs(from)).toBe(0);
    send(from, 10, (index) => (index > 50 ? 3_000 : 0)); // an uplink that jams for 8 s
    expect(Math.abs(errorMs(from))).toBeLessThan(20);
    expect(from.clock.steps).toBe(1);
  });

  test('is right after first packets that were held up', () => {
    const from = sender();
    send(from, 3, (index) => Math.max(0, 1_000 - index * FRAME_MS));
    expect(errorMs(from)).toBe(0);
  });

  test('is made good when only later packets come in time', () => {
    const from = sender();
    send(from, 5, () => 400);
    expect(errorMs(from)).toBe(400);
    send(from, 25);
    expect(errorMs(from)).toBeLessThan(1);
  });

  test('jumps by the gap when a publisher returns, and keeps the past', () => {
    const from = sender();
    send(from, 5);
    const before = from.timestampMs - FRAME_MS;
    const label = from.clock.wallClockAt(before);
    from.nowMs += 60_000;
    from.clock.anchorAnew();
    send(from, 5);
    expect(errorMs(from)).toBe(0);
    expect(from.clock.wallClockAt(before)).toBe(label);
    expect(from.clock.wallClockAt(before + FRAME_MS) - label).toBe(60_000 + FRAME_MS);
    expect(from.clock.steps).toBe(2);
  });

  test.each([
    ['a little: it follows slowly', 400, 20, 300, 1],
    ['a little back: it follows slowly', -400, -300, -20, 1],
    ['by an hour: at once', 3_600_000, 0, 0, 2],
    ['back by an hour: at once', -3_600_000, 0, 0, 2],
  ])('the system clock is set %s', (_name, systemMs, leastMs, mostMs, steps) => {
    const from = sender();
    send(from, 20);
    from.systemMs = systemMs;
    send(from, 30);
    expect(-errorMs(from)).toBeGreaterThanOrEqual(leastMs);
    expect(-errorMs(from)).toBeLessThanOrEqual(mostMs);
    expect(from.clock.steps).toBe(steps);
    send(from, 70);
    expect(Math.abs(errorMs(from))).toBeLessThan(1);
  });

  test('an encoder that is far too fast or too slow is followed in steps', () => {
    for (const pace of [0.5, 4]) {
      const from = sender();
      send(from, 120, () => 0, pace);
      expect(Math.abs(errorMs(from))).toBeLessThan(16_000);
      expect(from.clock.steps).toBeGreaterThan(2);
    }
  });

  test('looks back 32 anchors, and no further', () => {
    const from = sender();
    for (let publish = 0; publish < 40; publish += 1) {
      from.nowMs += 60_000;
      from.clock.anchorAnew();
      send(from, 1);
    }
    const oldest = from.clock.wallClockAt(8_000);
    expect(oldest).toBe(STARTED_MS + 10_000 + 9 * 60_000 + 8_000);
    expect(from.clock.wallClockAt(0)).toBe(oldest - 8_000);
  });
});

test('whatever the jitter and the drift of a crystal, labels are near the truth and never jump', () => {
  const drift = fc.integer({ min: -200, max: 200 });
  const jitter = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 20, maxLength: 200 });
  fc.assert(
    fc.property(drift, jitter, (ppm, delays) => {
      const from = sender();
      let last = Number.NaN;
      for (let second = 0; second < 180; second += 1) {
        send(from, 1, (index) => delays[(second * 25 + index) % delays.length] ?? 0, 1 + ppm / 1e6);
        const offset = from.clock.wallClockAt(from.timestampMs) - from.timestampMs;
        // Beyond the anchoring the label moves by at most 20 ms a second, and a window's correction.
        if (second > 3) expect(Math.abs(offset - last)).toBeLessThanOrEqual(36);
        last = offset;
      }
      const leastMs = Math.min(...from.latenessMs.slice(-30 * 25));
      expect(errorMs(from)).toBeGreaterThan(leastMs - 60);
      expect(errorMs(from)).toBeLessThan(leastMs + 60);
      expect(from.clock.steps).toBe(1);
    }),
    { numRuns: 20 },
  );
});
