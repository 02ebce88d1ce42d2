import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NamedShows } from './named-shows.ts';

const file = (): string => join(mkdtempSync(join(tmpdir(), 'named-shows-')), 'sub', 'named-shows.txt');
const noError = (code: string): void => expect.unreachable(code);

test('what an event has named stays named after a crash, once in the file', () => {
  const path = file();
  const before = new NamedShows(path, noError);
  for (const name of ['demo', 'other', 'demo']) before.add(name);
  appendFileSync(path, '../evil\nBAD\nto'); // whatever a crash or a hand has left
  const after = new NamedShows(path, noError);
  expect(['demo', 'other', 'made-up', '../evil', 'BAD', 'to'].map((name) => after.has(name))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(readFileSync(path, 'utf8')).toBe('demo\nother\n');
});

test('at its bound the show not spoken of for longest is forgotten', () => {
  const path = file();
  const shows = new NamedShows(path, noError, 2);
  for (const name of ['one', 'two', 'one', 'three']) shows.add(name);
  expect(['one', 'two', 'three'].map((name) => shows.has(name))).toEqual([true, false, true]);
});

test('a disk that refuses is reported, the show is named all the same', () => {
  const path = file();
  const codes: string[] = [];
  const shows = new NamedShows(path, (code) => codes.push(code));
  renameSync(path, `${path}.aside`);
  mkdirSync(path);
  shows.add('demo');
  expect([codes, shows.has('demo')]).toEqual([['EISDIR'], true]);
});
