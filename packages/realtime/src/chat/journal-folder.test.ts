import { mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
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

test('S18: a journal is deleted after its retention, together with its older segment', async () => {
  const path = folderWith({ 'old.jsonl': 31, 'old.jsonl.1': 40, 'new.jsonl': 29, 'new.jsonl.1': 35 });
  const folder = new JournalFolder({ path, retentionDays: 30, onError: noError });
  await folder.close();
  expect(readdirSync(path)).toEqual(['new.jsonl']);
});

test('at the bound known rooms go on, a new one is refused', async () => {
  const path = folderWith({ 'one.jsonl': 1, 'two.jsonl': 1 });
  const folder = new JournalFolder({ path, retentionDays: 30, journalsMax: 2, onError: noError });
  await folder.admit('one');
  await expect(folder.admit('three')).rejects.toMatchObject({ code: 'EJOURNALS' });
  await folder.close();
});

test('a folder that is not there yet is made when it is needed', async () => {
  const path = join(folderWith({}), 'sub', 'chat');
  const folder = new JournalFolder({ path, retentionDays: 30, onError: noError });
  await folder.admit('demo');
  expect(folder.pathOf('demo')).toBe(join(path, 'demo.jsonl'));
  mkdirSync(path, { recursive: true });
  expect(readdirSync(path)).toEqual([]);
  await folder.close();
});
