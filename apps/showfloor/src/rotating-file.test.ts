import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { LINE_CHARS_MAX, LineSplitter } from './line-splitter.ts';
import { RotatingFile } from './rotating-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'showfloor-log-'));
const path = join(folder, 'logs/mug.log');
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a log keeps two files of at most its bound, across starts', () => {
  for (let start = 0; start < 3; start += 1) {
    const file = new RotatingFile(path, 20);
    for (const line of ['one two', 'three four']) file.writeLine(line); // 8 and 11 bytes
    file.close();
  }
  expect(readFileSync(path, 'utf8')).toBe('one two\nthree four\n');
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('one two\nthree four\n');
  expect(existsSync(`${path}.2`)).toBe(false);
});

test('a line that cannot be written is counted, not thrown', () => {
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(folder, 'a file where the folder should be');
  const file = new RotatingFile(path);
  file.writeLine('one');
  expect(file.droppedLines).toBe(1);
});

test('bytes become lines, whatever the chunks; a line without end comes in pieces', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const byte of Buffer.from('mug\nlämp\n\ntote')) splitter.write(Buffer.from([byte]));
  splitter.end();
  expect(lines).toEqual(['mug', 'lämp', '', 'tote']);
  lines.length = 0;
  splitter.write(Buffer.from('x'.repeat(LINE_CHARS_MAX * 2 + 1)));
  expect(lines.map((line) => line.length)).toEqual([LINE_CHARS_MAX, LINE_CHARS_MAX]);
});
