import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/**
 * docs/requirements.md may claim only what exists. `shown by` holds parts separated by `; `, each one of
 *   `path/to/file.test.ts: part of a test's name`   the file exists and holds that text
 *   `path/to/file`                                  the file exists
 *   `npm run …`, `npm test`, `npm start`            the script exists in package.json
 */
const STATES = ['done', 'partial', 'not yet', 'declined'];
const rows = readFileSync('docs/requirements.md', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const match = /^\| ([GTIPL]-\d+) \| (.*) \| ([a-z ]+) \| (.*) \|$/.exec(line);
    return match === null
      ? []
      : [{ id: match[1] ?? '', what: match[2] ?? '', state: match[3] ?? '', shownBy: match[4] ?? '' }];
  });
const scripts = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }).scripts;

describe('docs/requirements.md', () => {
  test('holds every row of the five documents once', () => {
    const counts = { G: 80, T: 286, I: 146, P: 116, L: 145 };
    const expected = Object.entries(counts).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}-${String(index + 1).padStart(2, '0')}`),
    );
    expect(rows.map(({ id }) => id).sort()).toEqual(expected.sort());
  });

  test('every row has a known state', () => {
    expect(rows.filter(({ state }) => !STATES.includes(state)).map(({ id }) => id)).toEqual([]);
  });

  test('a row marked done or partial names something that exists', () => {
    const empty = rows.filter(({ state, shownBy }) => /^(done|partial)$/.test(state) && shownBy.trim() === '');
    const wrong = rows.flatMap(({ id, shownBy }) =>
      shownBy
        .split('; ')
        .filter((part) => part.trim() !== '')
        .filter((part) => !isShown(part.replaceAll('`', '').trim()))
        .map((part) => `${id}: ${part}`),
    );
    expect([...empty.map(({ id }) => `${id}: nothing named`), ...wrong]).toEqual([]);
  });

  test('a row that is not there yet claims nothing', () => {
    expect(
      rows.filter(({ state, shownBy }) => state === 'not yet' && shownBy.trim() !== '').map(({ id }) => id),
    ).toEqual([]);
  });
});

function isShown(part: string): boolean {
  const command = /^npm (?:run )?([a-z]+)/.exec(part);
  if (command !== null) return (command[1] ?? '') in scripts;
  const [path = '', ...name] = part.split(': ');
  if (!existsSync(path)) return false;
  return name.length === 0 || readFileSync(path, 'utf8').includes(name.join(': '));
}
