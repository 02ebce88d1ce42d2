/**
 * Holds of one SKU per second, the hottest row a drop can have: requests that share statements (as the server makes them)
 * beside the same statement run once per request. One PostgreSQL with fsync on, no HTTP: what the database side costs.
 * Options: --buyers N (2000), --rounds N (4).
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { createLogger } from '@showfloor/service-kit';
import { DEFAULT_HOLD_RULES, HoldDesk } from '../src/carts/hold-desk.ts';
import { HOLD_STATEMENT } from '../src/carts/hold-statement.ts';
import { type Database, migrate, openDatabase } from '../src/index.ts';
import { startPostgres } from '../test-postgres/start-postgres.ts';

const { values: options } = parseArgs({
  options: { buyers: { type: 'string', default: '2000' }, rounds: { type: 'string', default: '4' } },
});
const BUYERS = Number(options.buyers);
const ROUNDS = Number(options.rounds);
const CONNECTIONS = 40;

const postgres = await startPostgres();
try {
  const url = postgres.urlOf('postgres');
  const log = createLogger('bench', 'silent');
  await migrate(url, log);
  const database = openDatabase({ url, poolMax: CONNECTIONS, applicationName: 'bench', log });
  const buyers = await createBuyers(database);
  const single = await measure('one statement per request', async () => {
    const variantId = await createVariant(database);
    return () => {
      const waiting = [...buyers];
      const connection = async (): Promise<void> => {
        for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) await holdAlone(database, id, variantId);
      };
      return Promise.all(Array.from({ length: CONNECTIONS }, connection));
    };
  });
  const shared = await measure('shared statements', async () => {
    const variantId = await createVariant(database);
    const desk = new HoldDesk({ database, rules: DEFAULT_HOLD_RULES });
    return () => desk.hold(buyers.map((buyerId) => ({ buyerId, variantId, quantity: 1, playbackId: null, key: null })));
  });
  console.log(`ratio: ${(shared / single).toFixed(1)} × (${BUYERS} buyers at once, ${ROUNDS} rounds)`);
  await database.close();
} finally {
  await postgres.stop();
}

/** Prepares, runs the rounds and prints; resolves with holds per second. */
async function measure(name: string, prepare: () => Promise<() => Promise<readonly unknown[]>>): Promise<number> {
  const round = await prepare();
  const startedMs = performance.now();
  for (let count = 0; count < ROUNDS; count += 1) await round();
  const seconds = (performance.now() - startedMs) / 1000;
  const perSecond = (BUYERS * ROUNDS) / seconds;
  console.log(`${name.padEnd(26)} ${perSecond.toFixed(0).padStart(7)} holds/s`);
  return perSecond;
}

function holdAlone(database: Database, buyerId: string, variantId: string): Promise<readonly unknown[]> {
  const { holdSeconds, activeHoldsMax, unitsPerLineMax } = DEFAULT_HOLD_RULES;
  const values = [[0], [buyerId], [variantId], [1], [null], [null], holdSeconds, activeHoldsMax, unitsPerLineMax];
  return database.pool.query({ ...HOLD_STATEMENT, values }).then(({ rows }) => rows);
}

async function createBuyers(database: Database): Promise<string[]> {
  const { rows } = await database.pool.query<{ id: string }>(
    `with u as (insert into users (display_name, role) select 'Buyer ' || n, 'guest' from generate_series(1, $1::int) n
                returning id), c as (insert into carts (user_id) select id from u) select id from u`,
    [BUYERS],
  );
  return rows.map(({ id }) => id);
}

async function createVariant(database: Database): Promise<string> {
  const variantId = randomUUID();
  await database.pool.query(
    `with s as (insert into users (display_name, role) values ('Seller', 'seller') returning id),
          p as (insert into products (seller_id, title, currency) select id, 'Drop', 'EUR' from s returning id),
          v as (insert into product_variants (id, product_id, title, sku, price_minor, position)
                select $1, id, 'One', 'ONE', 100, 0 from p)
     select`,
    [variantId],
  );
  await database.pool.query('insert into stock (variant_id, on_hand, available) values ($1, 1000000, 1000000)', [
    variantId,
  ]);
  return variantId;
}
