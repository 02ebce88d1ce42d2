import { expect, test } from 'vitest';
import { describeSource, parseSource, processQuery, SourceError } from './source.ts';

test.each([
  ['redis=redis://127.0.0.1:6379', 'redis 127.0.0.1:6379 redis://127.0.0.1:6379'],
  ['redis:cache=redis://u:pw@h:1', 'redis cache redis://h:1'],
  ['postgres:shop=postgres://u:pw@h/db?password=x&host=/s', 'postgres shop postgres://h/db'],
  ['prometheus:realtime=http://u:pw@h:3011/metrics?token=x', 'prometheus realtime http://h:3011/metrics'],
  ['nginx-log=/var/log/nginx/access.log', 'nginx-log access.log /var/log/nginx/access.log'],
  ['container:srs=/sys/fs/cgroup/a.scope', 'container srs /sys/fs/cgroup/a.scope'],
  ['docker=', 'docker docker '],
  ['process:media=port=8080', 'process media port=8080'],
])('%s is kept as: %s', (text, kept) => {
  const { kind, name, where } = describeSource(parseSource(text));
  expect(`${kind} ${name} ${where}`).toBe(kept);
});

test.each([
  'redis',
  'redis=redis://:100%@h',
  'mongo=mongodb://h',
  'redis=http://h',
  'srs=',
  'nginx-log=',
  'postgres=not a url',
  '=x',
])('%s is refused', (text) => {
  expect(() => parseSource(text)).toThrow(SourceError);
});

test('a refusal does not repeat the secret', () => {
  expect(() => parseSource('redis=http://:hunter2@h')).toThrow(/^(?!.*hunter2)/s);
});

test.each([
  ['pid=12', { pid: 12 }],
  ['port=80', { port: 80 }],
  ['redis-server', { command: 'redis-server' }],
  ['postgres -D beside port=3000', { command: 'postgres -D', besidePort: 3000 }],
])('process %s', (where, query) => {
  expect(processQuery(where)).toEqual(query);
});
