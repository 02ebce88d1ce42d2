import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Counter, createMetrics } from '@showfloor/service-kit';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, silentLog, type TestDatabase } from '../../test-postgres/test-database.ts';
import { openDatabase } from '../index.ts';
import { OutboxRelay, type RelayOptions } from './relay.ts';

/** One pass at a time, against a receiver that answers when told. */
const STATEMENT_TIMEOUT_MS = 300;
let database: TestDatabase;
let impatient: ReturnType<typeof openDatabase>;
let receiver: Server;
let received: string[] = [];
let onEvent: (name: string, answer: () => void) => void;

beforeAll(async () => {
  database = await createTestDatabase();
  impatient = openDatabase({
    url: database.url,
    poolMax: 10,
    applicationName: 'relay',
    log: silentLog,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  receiver = createServer((request, response) => {
    void text(request).then((body) => {
      const { name } = JSON.parse(body) as { name: string };
      received.push(name);
      onEvent(name, () => response.writeHead(204).end());
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  receiver?.closeAllConnections();
  receiver?.close();
  await impatient?.close();
  await database?.close();
});
beforeEach(async () => {
  await sql`delete from outbox`.execute(database.kysely);
  received = [];
  onEvent = (_name, answer) => answer();
});

test('an abort ends a delivery that hangs at once, and counts nothing against the receiver', async () => {
  await write('show', 'first');
  const stop = new AbortController();
  onEvent = () => stop.abort();
  const startedMs = performance.now();
  await newRelay().pass(stop.signal);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  expect(await waiting()).toEqual([{ name: 'first', last_error: null }]);
});

test('after an abort no further event of the topic leaves; the next pass sends all in order', async () => {
  for (const name of ['first', 'second', 'third']) await write('show', name);
  const stop = new AbortController();
  onEvent = (_name, answer) => {
    answer();
    stop.abort();
  };
  await newRelay().pass(stop.signal);
  expect(received).toEqual(['first']);
  onEvent = (_name, answer) => answer();
  await newRelay().pass(new AbortController().signal);
  expect(received.slice(-2)).toEqual(['second', 'third']);
  expect(await waiting()).toEqual([]);
});

test('superseded stock levels that cannot be deleted hold up no other event', async () => {
  await write('show', 'old level', 'stock:1');
  await write('show', 'new level', 'stock:1');
  await write('another', 'pin');
  const coalesceFailures = new Counter({ name: 'failures', help: 'f', registers: [createMetrics('test')] });
  await database.kysely.transaction().execute(async (tx) => {
    await sql`select id from outbox where coalesce_key is not null order by id limit 1 for update`.execute(tx);
    await newRelay({ coalesceFailures })
      .pass(new AbortController().signal)
      .catch(() => undefined); // the locked row itself cannot be deleted either
    expect(received).toContain('pin');
  });
  expect((await coalesceFailures.get()).values[0]?.value).toBe(1);
});

function newRelay(options: Partial<RelayOptions> = {}): OutboxRelay {
  return new OutboxRelay({
    db: impatient.kysely,
    realtimeUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
    webhookSecret: `whsec_${Buffer.alloc(32).toString('base64')}`,
    log: silentLog,
    ...options,
  });
}

async function write(topic: string, name: string, coalesceKey: string | null = null): Promise<void> {
  await database.kysely
    .insertInto('outbox')
    .values({ topic, coalesce_key: coalesceKey, payload: JSON.stringify({ name }) })
    .execute();
}

async function waiting(): Promise<unknown[]> {
  const { rows } = await sql`select payload->>'name' as name, last_error from outbox order by id`.execute(
    database.kysely,
  );
  return rows;
}
