import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SequenceFloor } from './sequence-floor.ts';

const folder = mkdtempSync(join(tmpdir(), 'sequence-floor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOW_MS = Date.UTC(2026, 0, 1);
const SECONDS = 731 * 86_400; // 2024 was a leap year
const fail = (error: unknown): void => {
  throw error;
};

test('a run begins with the seconds since 2024, and never below a number that was used', () => {
  const floor = new SequenceFloor(null, fail);
  expect(floor.next(NOW_MS)).toBe(SECONDS);
  expect(floor.next(NOW_MS)).toBe(SECONDS + 1);
  floor.used(SECONDS + 500);
  expect(floor.next(NOW_MS)).toBe(SECONDS + 501);
  expect(floor.next(NOW_MS - 86_400_000)).toBe(SECONDS + 502);
  expect(floor.next(0)).toBe(SECONDS + 503);
});

test('V8 after a crash with the clock set back the numbers go on', () => {
  const file = join(folder, 'sub', 'crashed');
  const before = new SequenceFloor(file, fail);
  const first = before.next(NOW_MS);
  for (let sequence = first; sequence < first + 2_000; sequence += 1) before.used(sequence);
  const after = new SequenceFloor(file, fail).next(NOW_MS - 3_600_000);
  expect(after).toBeGreaterThanOrEqual(first + 2_000);
  expect(after).toBeLessThan(first + 2_000 + 601);
});

test('a clean stop gives back what was not used, and writes seldom in between', () => {
  const file = join(folder, 'clean');
  const floor = new SequenceFloor(file, fail);
  floor.next(NOW_MS);
  const reserved = readFileSync(file, 'utf8');
  for (let more = 0; more < 400; more += 1) floor.used(SECONDS + more);
  expect(readFileSync(file, 'utf8')).toBe(reserved);
  floor.close();
  expect(new SequenceFloor(file, fail).next(0)).toBe(SECONDS + 400);
});

test('a file that says nothing is none, one that cannot be written is told and not insisted on', () => {
  const file = join(folder, 'broken');
  writeFileSync(file, 'x');
  expect(new SequenceFloor(file, fail).next(NOW_MS)).toBe(SECONDS);
  let failures = 0;
  const floor = new SequenceFloor(join(file, 'below', 'a-file'), () => {
    failures += 1;
  });
  floor.next(NOW_MS);
  floor.used(SECONDS + 10);
  expect(failures).toBe(1);
});
