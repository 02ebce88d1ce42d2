import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('no source of this package needs Node: the web app imports its index', () => {
  const sources = readdirSync(new URL('.', import.meta.url)).filter((name) => !name.endsWith('.test.ts'));
  const needing = sources.filter((name) => /\bBuffer\b(?!,)|from 'node:|process\./.test(stripComments(name)));
  expect(sources.length).toBeGreaterThan(10);
  expect(needing).toEqual([]);
});

function stripComments(name: string): string {
  const text = readFileSync(new URL(name, import.meta.url), 'utf8');
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}
