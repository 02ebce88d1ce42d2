import { existsSync, mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JournalFolder } from './journal-folder.ts';

const folderWith = (daysOld: Readonly<Record<string, number>>): string => {
  const path = mkdtempSync(join(tmpdir(), 'journals-'));
  for (const [name, days] of Object.entries(daysOld)) {
    writeFileSync(join(path, name), '');
    const seconds = Date.now() / 1000 - days * 86_400;
    utimesSync(join(path, name), seconds, seconds);
  }
  return path;
};
const noError = (code: string): void => expect.unreachable(code);
const named = { isNamed: () => true, isInUse: () => false, onError: noError };

test('S18: a journal is deleted after its retention, together with its older segment', async () => {
  const path = folderWith({ 'old.jsonl': 31, 'old.jsonl.1': 40, 'new.jsonl': 29, 'new.jsonl.1': 35 });
  const folder = new JournalFolder({ path, retentionDays: 30, ...named });
  await folder.close();
  expect(readdirSync(path)).toEqual(['new.jsonl']);
});

test('at the bound known rooms go on, a new one is refused', async () => {
  const path = folderWith({ 'one.jsonl': 1, 'two.jsonl': 1 });
  const folder = new JournalFolder({ path, retentionDays: 30, journalsMax: 2, ...named });
  await folder.admit('one');
  await expect(folder.admit('three')).rejects.toMatchObject({ code: 'EJOURNALS' });
  await folder.close();
});

test('rooms that no event has named share few journals: the oldest that is not in use gives way, a show never', async () => {
  const path = folderWith({ 'show-1.jsonl': 9, 'busy.jsonl': 8, 'old.jsonl': 7, 'old.jsonl.1': 8, 'newer.jsonl': 6 });
  let evicted = 0;
  const folder = new JournalFolder({
    path,
    retentionDays: 30,
    unnamedJournalsMax: 3,
    isNamed: (liveId) => liveId.startsWith('show-'),
    isInUse: (liveId) => liveId === 'busy',
    onEvicted: () => {
      evicted += 1;
    },
    onError: noError,
  });
  await folder.admit('made-up');
  expect(readdirSync(path).sort()).toEqual(['busy.jsonl', 'newer.jsonl', 'show-1.jsonl']);
  await folder.admit('another');
  expect(evicted).toBe(2);
  expect(existsSync(join(path, 'newer.jsonl'))).toBe(false);
  await folder.admit('show-2');
  expect(evicted).toBe(2);
  await folder.close();
});

test('a folder that is not there yet is made when it is needed', async () => {
  const path = join(folderWith({}), 'sub', 'chat');
  const folder = new JournalFolder({ path, retentionDays: 30, ...named });
  await folder.admit('demo');
  expect(folder.pathOf('demo')).toBe(join(path, 'demo.jsonl'));
  mkdirSync(path, { recursive: true });
  expect(readdirSync(path)).toEqual([]);
  await folder.close();
});
