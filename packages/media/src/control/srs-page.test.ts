import { expect, test } from 'vitest';
import { readPage } from './srs-page.ts';

test.each([
  ['', { start: 0, count: 10 }],
  ['start=20', { start: 20, count: 10 }],
  ['start=20&count=5', { start: 20, count: 5 }],
  ['count=0', { start: 0, count: 1 }],
  ['count=100000', { start: 0, count: 100_000 }],
  ['count=999999999', { start: 0, count: 100_000 }],
  ['start=-1&count=x', { start: 0, count: 10 }],
])('"%s"', (query, page) => {
  expect(readPage(query)).toEqual(page);
});
