import {
  createPool,
  createTestProvider,
  type Database,
  guardProvider,
  isSchemaCurrent,
  openDatabase,
  startCommerceJobs,
} from '@showfloor/commerce';
import {
  createLogger,
  createMetrics,
  describeConfig,
  loadSecrets,
  runService,
  type Service,
  startAdminServer,
} from '@showfloor/service-kit';
import { loadConfig, VARIABLES } from './config.ts';

const PROVIDER_POOL_MAX = 2;
const SCHEMA_WAIT_MS = 60_000;
const SCHEMA_POLL_MS = 250;

if (process.argv.includes('--help')) console.log(describeConfig(VARIABLES));
else await runService(start);

async function start(): Promise<Service> {
  const config = loadConfig();
  const log = createLogger('worker', config.LOG_LEVEL);
  const registry = createMetrics('worker');
  const { webhookSecret, storageSecret } = loadSecrets(config.DATA_DIR);
  const connection = { url: config.DATABASE_URL, applicationName: 'showfloor-worker', log };
  // One connection more listens for the outbox.
  const database = openDatabase({ ...connection, poolMax: config.WORKER_POOL_MAX - PROVIDER_POOL_MAX - 1 });
  await waitForSchema(database);
  const provider = guardProvider(
    createTestProvider(
      createPool({ ...connection, applicationName: 'test-payment-provider', poolMax: PROVIDER_POOL_MAX }),
    ),
    {},
  );
  const jobs = startCommerceJobs({
    database,
    databaseUrl: config.DATABASE_URL,
    provider,
    realtimeUrl: config.WORKER_REALTIME_URL || `http://127.0.0.1:${config.REALTIME_PORT}`,
    mediaAdminUrl: config.WORKER_MEDIA_ADMIN_URL || `http://127.0.0.1:${config.MEDIA_ADMIN_PORT}`,
    webhookSecret,
    storageSecret,
    registry,
    log,
  });
  const admin = await startAdminServer({
    host: '127.0.0.1',
    port: config.WORKER_ADMIN_PORT,
    registry,
    checks: { database: () => isSchemaCurrent(database) },
  });
  return {
    log,
    close: async () => {
      await jobs.close();
      await provider.close();
      await database.close();
      admin.close();
    },
  };
}

/** commerce-server applies the migrations; until then there is nothing to work on. */
async function waitForSchema(database: Database): Promise<void> {
  const deadlineMs = Date.now() + SCHEMA_WAIT_MS;
  while (!(await isSchemaCurrent(database))) {
    if (Date.now() > deadlineMs) {
      throw new Error('the database has no current schema: start commerce-server on it, or check DATABASE_URL');
    }
    await new Promise((resolve) => setTimeout(resolve, SCHEMA_POLL_MS));
  }
}
