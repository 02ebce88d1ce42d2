import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startFloor } from './floor.ts';
import { IDLE_MEMORY_MB_MAX, memoryByProcess, WATCH_SCRIPT_KB_MAX, watchScriptKilobytes } from './footprint.ts';

const SETTLE_MS = 5_000;

test(`the idle system weighs at most ${IDLE_MEMORY_MB_MAX} MB`, async () => {
  const floor = await startFloor();
  try {
    await sleep(SETTLE_MS);
    const parts = memoryByProcess(floor.supervisorPid);
    expect(parts.length).toBeGreaterThanOrEqual(7); // supervisor, four servers, PostgreSQL, demo publisher
    const total = parts.reduce((sum, { megabytes }) => sum + megabytes, 0);
    expect(total, JSON.stringify(parts)).toBeLessThanOrEqual(IDLE_MEMORY_MB_MAX);
  } finally {
    await floor.stop();
  }
});

test(`the watch page loads at most ${WATCH_SCRIPT_KB_MAX} kB of script before the player`, () => {
  expect(watchScriptKilobytes()).toBeLessThanOrEqual(WATCH_SCRIPT_KB_MAX);
});
