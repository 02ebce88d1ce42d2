import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EVENTS_PER_NAME_MAX, RunFolderError, readRunFolder } from './run-reader.ts';

async function folderWith(events: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'showfloor-lab-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'manifest.json'), '{"version":1}');
  await writeFile(join(folder, 'events.jsonl'), events);
  return folder;
}

const line = (name: string, atMs: number): string => `${JSON.stringify({ name, atMs, detail: {} })}\n`;

test('a flood of one event hides no late alert, and what is left out is counted', async () => {
  const flood = Array.from({ length: EVENTS_PER_NAME_MAX + 7 }, (_, atMs) => line('viewer_left', atMs)).join('');
  const { events, eventsLeftOut } = await readRunFolder(await folderWith(flood + line('alert_fired', 99_999)));
  expect(events).toHaveLength(EVENTS_PER_NAME_MAX + 1);
  expect(events.at(-1)).toMatchObject({ name: 'alert_fired', atMs: 99_999 });
  expect(eventsLeftOut).toBe(7);
});

test('a last line that a crash cut off is left out; half a line in the middle is no run folder', async () => {
  const { events, eventsLeftOut } = await readRunFolder(await folderWith(`${line('a', 1)}{"name":"b","at`));
  expect(events.map(({ name }) => name)).toEqual(['a']);
  expect(eventsLeftOut).toBeUndefined();
  await expect(readRunFolder(await folderWith(`{"name":"b","at\n${line('a', 1)}`))).rejects.toThrow(RunFolderError);
});
