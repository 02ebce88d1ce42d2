import { expect, test } from 'vitest';
import type { TargetDescription } from './target.ts';
import { targetOfVu } from './vu-target.ts';

const target: TargetDescription = {
  kind: 'url',
  url: 'http://h',
  planes: ['video'],
  subject: 'all',
  flvUrl: 'http://h/a.flv',
  hls: null,
  room: null,
  shop: null,
  version: null,
};
const streams = ['a', 'b', 'c'].map((name) => ({ name, flvUrl: `http://h/${name}.flv`, hls: null }));

test('viewers are dealt out over the streams in turn', () => {
  const seen = [0, 1, 2, 3].map((indexInGroup) =>
    targetOfVu({ target: { ...target, streams } }, { group: 'viewers', indexInGroup }),
  );
  expect(seen.map(({ flvUrl, subject }) => [flvUrl, subject])).toEqual([
    ['http://h/a.flv', 'a'],
    ['http://h/b.flv', 'b'],
    ['http://h/c.flv', 'c'],
    ['http://h/a.flv', 'a'],
  ]);
});

test('a group with a network of its own reaches the target through it, the others do not', () => {
  const slow = { ...target, flvUrl: 'http://proxy/a.flv' };
  const of = (group: string) => targetOfVu({ target, groupTargets: { slow } }, { group, indexInGroup: 0 }).flvUrl;
  expect([of('slow'), of('viewers')]).toEqual(['http://proxy/a.flv', 'http://h/a.flv']);
});
