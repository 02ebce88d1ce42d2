import { randomBytes } from 'node:crypto';
import { createLogger, type Logger } from '@showfloor/service-kit';
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, migrate, openDatabase } from '../src/index.ts';

export const silentLog: Logger = createLogger('test', 'silent');
const TEMPLATE = 'showfloor_test_template';
const POOL_MAX = 20;

/** A migrated, empty database of the calling test file's own. `close` closes the pool and drops it. */
export type TestDatabase = Database & { readonly url: string };

export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  await ensureTemplate(server);
  const name = `showfloor_test_${randomBytes(6).toString('hex')}`;
  await runOn(server, `create database ${name} template ${TEMPLATE}`);
  const url = withDatabase(server, name);
  const database = openDatabase({ url, poolMax: POOL_MAX, applicationName: 'test', log: silentLog });
  return {
    ...database,
    url,
    close: async () => {
      await database.close();
      await runOn(server, `drop database ${name} with (force)`);
    },
  };
}

async function ensureTemplate(server: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock(7101)');
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [TEMPLATE]);
    if (rowCount === 0) {
      await client.query(`create database ${TEMPLATE}_draft`);
      await migrate(withDatabase(server, `${TEMPLATE}_draft`), silentLog);
      await client.query(`alter database ${TEMPLATE}_draft rename to ${TEMPLATE}`);
    }
  } finally {
    await client.end();
  }
}

async function runOn(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.toString();
}
