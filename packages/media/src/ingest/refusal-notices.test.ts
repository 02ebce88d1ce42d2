import { expect, test } from 'vitest';
import { RefusalNotices } from './refusal-notices.ts';

test('of each show and reason one notice in ten seconds', () => {
  const told: string[] = [];
  let nowMs = 0;
  const notices = new RefusalNotices(
    ({ playbackId, reason }) => told.push(`${playbackId} ${reason}`),
    () => nowMs,
  );
  const add = (playbackId: string, reason: string): void =>
    notices.add({ playbackId, showId: 's', reason, text: 'No.' });
  for (; nowMs < 20_000; nowMs += 2_000) add('one', 'rival');
  add('one', 'ingest.unsupported_av1');
  add('two', 'rival');
  expect(told).toEqual(['one rival', 'one rival', 'one ingest.unsupported_av1', 'two rival']);
});

test('a thousand shows are remembered, and no more', () => {
  let told = 0;
  const notices = new RefusalNotices(
    () => (told += 1),
    () => 0,
  );
  const add = (index: number): void =>
    notices.add({ playbackId: `show-${index}`, showId: 's', reason: 'rival', text: 'No.' });
  for (let index = 0; index <= 1_000; index += 1) add(index);
  add(1_000); // remembered
  add(0); // forgotten
  expect(told).toBe(1_002);
});
