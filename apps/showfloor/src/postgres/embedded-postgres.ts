import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '@showfloor/service-kit';
import pg from 'pg';
import type { ChildProgram } from '../supervised-child.ts';
import { findPostgresBinaries } from './binaries.ts';
import { clearLeftovers, ensureCluster, makePrivateFolder } from './cluster.ts';
import { canReach, type PostgresIdentity, postgresIdentities, runAs } from './identity.ts';
import { chooseSocketFolder } from './socket-folder.ts';

/** A database folder that can be started: how, and where clients find it. */
export type EmbeddedPostgres = {
  readonly program: ChildProgram;
  /** For the processes of the shop: the role `showfloor` on its own database. */
  readonly databaseUrl: string;
  /** This start made the database. */
  readonly isNew: boolean;
};

const ROLE = 'showfloor';
const PORT = 5432; // of the socket's name; there is no TCP listener
const PROBE_INTERVAL_MS = 25;
const PROBE_TIMEOUT_MS = 2_000;
const START_TIMEOUT_MS = 60_000; // replays the log after a crash
/** With the supervisor's pauses about 11 s: longer than any leftover of an earlier run holds on. */
const FAILURES_BEFORE_READY_MAX = 7;

/**
 * Sees to the database below `dataDir`. Nothing runs yet when this resolves: the caller supervises `program`. Throws
 * StartError.
 */
export async function prepareEmbeddedPostgres(
  dataDir: string,
  runtimeDirectory: string,
  signal: AbortSignal,
): Promise<EmbeddedPostgres> {
  const binaries = findPostgresBinaries();
  const folder = join(dataDir, 'postgres', 'data');
  const socketFolder = chooseSocketFolder(dataDir, runtimeDirectory);
  const identity = chooseIdentity(binaries.postgres, dirname(folder), socketFolder);
  const isNew = await ensureCluster(folder, binaries, identity, signal);
  const line = runAs(identity, 'INT', { command: binaries.postgres, args: ['-D', folder, ...settings(socketFolder)] });
  const program: ChildProgram = {
    name: 'postgres',
    ...line,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }, // no PG* variables of the caller
    cwd: '/',
    stopSignal: 'SIGINT', // "fast": ends sessions, writes a checkpoint
    rules: { refusalCode: null, failuresBeforeReadyMax: FAILURES_BEFORE_READY_MAX },
    startTimeoutMs: START_TIMEOUT_MS,
    prepare: () => clearLeftovers(folder),
    probe: (ended) => untilServing(socketFolder, ended),
  };
  return { program, databaseUrl: databaseUrl(socketFolder), isNew };
}

/** The first way to run PostgreSQL that gets at everything. Throws StartError when there is none. */
function chooseIdentity(postgres: string, folder: string, socketFolder: string): PostgresIdentity {
  const { uid, gid } = statSync(dirname(folder));
  for (const identity of postgresIdentities(uid, gid)) {
    makePrivateFolder(socketFolder, identity);
    makePrivateFolder(folder, identity);
    if (canReach(identity, postgres, folder)) return identity;
  }
  throw new StartError(
    `the embedded PostgreSQL cannot run as root here, because no other user may reach ${postgres} or ${folder}: start Showfloor as a normal user, or set DATABASE_URL to a PostgreSQL of your own`,
  );
}

function settings(socketFolder: string): string[] {
  const values = {
    listen_addresses: '',
    port: PORT,
    unix_socket_directories: `"${socketFolder}"`,
    unix_socket_permissions: '0700',
    max_connections: 120, // commerce 50, worker 20, jobs 10, and people with psql
    shared_buffers: '64MB',
    io_method: 'sync', // a shop's working set is in memory: three workers less
    max_wal_size: '512MB',
    jit: 'off',
    fsync: 'on',
    synchronous_commit: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_destination: 'stderr',
    log_line_prefix: '%m [%p] %q%u ',
    cluster_name: 'showfloor',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function databaseUrl(socketFolder: string): string {
  return `postgresql://${ROLE}@localhost:${PORT}/${ROLE}?host=${encodeURIComponent(socketFolder)}`;
}

/** Resolves once the database answers and the shop's role and database exist; rejects when `ended` aborts. */
async function untilServing(socketFolder: string, ended: AbortSignal): Promise<void> {
  for (;;) {
    ended.throwIfAborted();
    const client = new pg.Client({
      host: socketFolder,
      port: PORT,
      user: 'postgres',
      database: 'postgres',
      ssl: false,
      connectionTimeoutMillis: PROBE_TIMEOUT_MS,
    });
    client.on('error', () => undefined); // the query or the next attempt says it
    try {
      await client.connect();
      await ensureShopDatabase(client);
      return;
    } catch {
      await sleep(PROBE_INTERVAL_MS, undefined, { signal: ended }); // not up yet
    } finally {
      await client.end().catch(() => undefined); // it never was connected
    }
  }
}

async function ensureShopDatabase(client: pg.Client): Promise<void> {
  const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [ROLE]);
  if (role.rowCount === 0) await client.query(`CREATE ROLE ${ROLE} LOGIN`);
  const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [ROLE]);
  if (database.rowCount === 0) await client.query(`CREATE DATABASE ${ROLE} OWNER ${ROLE}`);
}
