import type { StreamKey } from '@showfloor/protocol';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startShop, type TestShop } from '../../test-postgres/test-shop.ts';

let shop: TestShop;
const lines: string[] = [];

beforeAll(async () => {
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  shop = await startShop({ log });
});
afterAll(() => shop?.close());

test('S1 after its one showing a stream key is in no answer, log line, metric or row', async () => {
  const seller = await shop.seller();
  const show = await seller.show();
  const { body } = await seller.send<StreamKey>('POST', `/api/shows/${show.id}/stream-key`);
  const secret = body.streamKey.split('key=')[1] ?? '';
  expect(Buffer.from(secret, 'base64url').length * 8).toBeGreaterThanOrEqual(128);

  // Everything that could let it slip, right and wrong.
  const answers: string[] = [];
  const hook = { client_id: 'c', ip: '127.0.0.1', app: 'live', stream: show.playbackId, param: `?key=${secret}` };
  const sent = { ...hook, action: 'on_publish', tcUrl: `rtmp://h/live?key=${secret}` };
  answers.push((await shop.callSigned('/api/streaming/hooks/on_publish', sent)).text);
  answers.push((await shop.callSigned('/api/streaming/hooks/on_publish', { ...sent, stream: 'not-there' })).text);
  answers.push((await shop.callSigned('/api/streaming/hooks/on_publish', { ...sent, client_id: 7 })).text);
  answers.push((await shop.call('POST', `/api/streaming/hooks/on_publish?key=${secret}`, { body: sent })).text);
  answers.push((await shop.call('GET', `/api/nowhere?key=${secret}`)).text);
  for (const path of [`/api/shows/${show.playbackId}`, '/api/streaming/upcoming', '/api/openapi.json']) {
    answers.push((await shop.call('GET', path)).text);
  }
  answers.push((await seller.send('GET', '/api/seller/shows')).text);

  expect(answers.join('\n')).not.toContain(secret);
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.join('\n')).not.toContain(secret);
  expect(await shop.registry.metrics()).not.toContain(secret);
  expect(await wholeDatabase()).not.toContain(secret);
});

/** Every row of every table as text. */
async function wholeDatabase(): Promise<string> {
  const db = shop.database.kysely;
  const { rows: tables } = await sql<{ name: string }>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema in ('public', 'test_provider') and table_type = 'BASE TABLE'`.execute(db);
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await sql<{ text: string }>`select t::text as text from ${sql.raw(name)} t`.execute(db);
      return rows.map(({ text }) => text).join('\n');
    }),
  );
  expect(tables.length).toBeGreaterThan(15);
  return texts.join('\n');
}
