import type { Logger } from '@showfloor/service-kit';
import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { MIGRATIONS } from '../migrations/index.ts';
import { type Database, isUnavailable, openDatabase, sqlState } from './database.ts';
import type { Tables } from './tables.ts';

const MIGRATION_STATEMENT_TIMEOUT_MS = 120_000;

/**
 * Brings the schema up to date. Kysely holds an advisory lock meanwhile, so that several processes may call this at
 * once. Throws the first failed migration's error; everything is one transaction, so nothing is half-applied.
 */
export async function migrate(url: string, log: Logger): Promise<void> {
  const database = openDatabase({
    url,
    poolMax: 2,
    applicationName: 'showfloor-migrations',
    log,
    statementTimeoutMs: MIGRATION_STATEMENT_TIMEOUT_MS,
  });
  try {
    const { error, results } = await createMigrator(database.kysely).migrateToLatest();
    if (error !== undefined) throw error;
    const applied = results?.filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName);
    if (applied !== undefined && applied.length > 0) log.info({ applied }, 'database.migrated');
  } finally {
    await database.close();
  }
}

/** True when every migration this code knows has been applied. False while the database is empty or down. */
export async function isSchemaCurrent(database: Database): Promise<boolean> {
  const names = Object.keys(MIGRATIONS);
  try {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(database.kysely);
    const applied = new Set(rows.map(({ name }) => name));
    return names.every((name) => applied.has(name));
  } catch (error) {
    if (isUnavailable(error) || sqlState(error) === '42P01') return false; // 42P01: no such table yet
    throw error;
  }
}

function createMigrator(kysely: Kysely<Tables>): Migrator {
  const migrations: Record<string, Migration> = { ...MIGRATIONS };
  return new Migrator({ db: kysely, provider: { getMigrations: () => Promise.resolve(migrations) } });
}
