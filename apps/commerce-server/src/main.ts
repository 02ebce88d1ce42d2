import {
  closeDemo,
  createCommerceServer,
  createPool,
  createTestProvider,
  type Database,
  guardProvider,
  migrate,
  openDatabase,
  type PaymentProvider,
  prepareOwnerLink,
  seedDemo,
  waitForDatabase,
} from '@showfloor/commerce';
import {
  ConfigError,
  Counter,
  createLogger,
  createMetrics,
  describeConfig,
  Gauge,
  Histogram,
  type Logger,
  loadSecrets,
  type Registry,
  runService,
  type Service,
  startAdminServer,
} from '@showfloor/service-kit';
import { type Config, loadConfig, VARIABLES } from './config.ts';
import { signInLinkRoute } from './sign-in-link.ts';

const DATABASE_WAIT_MS = 15_000;
/** The payment provider's stand-in talks to PostgreSQL over connections of its own. */
const PROVIDER_POOL_MAX = 4;
const SECRET_CHARS_MIN = 22; // 128 bits in base64url

if (process.argv.includes('--help')) console.log(describeConfig(VARIABLES));
else await runService(start);

async function start(): Promise<Service> {
  const config = loadConfig();
  const log = createLogger('commerce-server', config.LOG_LEVEL);
  const registry = createMetrics('commerce-server');
  const secrets = loadSecrets(config.DATA_DIR);
  const database = connect(config, log, registry);
  await waitForDatabase(database, DATABASE_WAIT_MS);
  await migrate(config.DATABASE_URL, log);
  await prepareDemo(config, database);
  await prepareOwner(config, database);
  const provider = connectProvider(config, log, registry);
  const server = await createCommerceServer({
    database,
    provider,
    secrets,
    registry,
    log,
    webDir: config.COMMERCE_WEB_DIR,
    urls: {
      origin: config.COMMERCE_PUBLIC_ORIGIN,
      videoUrl: config.COMMERCE_PUBLIC_VIDEO_URL,
      realtimeUrl: config.COMMERCE_PUBLIC_REALTIME_URL,
      rtmpUrl: config.COMMERCE_PUBLIC_RTMP_URL,
      realtimePort: config.REALTIME_PORT,
      videoPort: config.MEDIA_HTTP_PORT,
      rtmpPort: config.MEDIA_RTMP_PORT,
    },
    graceSeconds: config.COMMERCE_GRACE_SECONDS,
    hookSecret: config.COMMERCE_HOOK_SECRET,
    holdRules: { holdSeconds: config.COMMERCE_HOLD_SECONDS, activeHoldsMax: config.COMMERCE_ACTIVE_HOLDS_MAX },
    trustedProxies: config.COMMERCE_TRUSTED_PROXIES,
    corsOrigins: config.COMMERCE_CORS_ORIGINS,
    outbound: {
      allowedNetworks: config.OUTBOUND_ALLOWED_NETWORKS,
      allowedPorts: config.OUTBOUND_ALLOWED_PORTS,
    },
    rates: {
      auth: config.COMMERCE_AUTH_RATE_PER_MINUTE,
      guest: config.COMMERCE_GUEST_RATE_PER_MINUTE,
      api: config.COMMERCE_API_RATE_PER_MINUTE,
    },
  });
  const admin = await startAdminServer({
    host: '127.0.0.1',
    port: config.COMMERCE_ADMIN_PORT,
    registry,
    checks: { database: server.isReady },
    handle: signInLinkRoute({
      database,
      webhookSecret: secrets.webhookSecret,
      hasDemo: config.COMMERCE_DEMO,
    }),
  });
  const port = await server.listen({ host: config.HOST, port: config.COMMERCE_PORT });
  log.info({ host: config.HOST, port }, 'commerce.listening');
  return {
    log,
    close: async () => {
      await server.close();
      await provider.close();
      await database.close();
      admin.close();
    },
  };
}

function connect(config: Config, log: Logger, registry: Registry): Database {
  const database = openDatabase({
    url: config.DATABASE_URL,
    poolMax: config.COMMERCE_POOL_MAX - PROVIDER_POOL_MAX,
    applicationName: 'showfloor-commerce',
    log,
    queryDuration: new Histogram({
      name: 'database_query_duration_seconds',
      help: 'Time of one statement, including the wait for its answer',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers: [registry],
    }),
    connectionErrors: new Counter({
      name: 'database_connections_lost_total',
      help: 'Idle connections that broke',
      registers: [registry],
    }),
  });
  new Gauge({
    name: 'database_pool_connections',
    help: 'Connections by state; waiting: requests without one',
    labelNames: ['state'] as const,
    registers: [registry],
    collect() {
      const { totalCount, idleCount, waitingCount } = database.pool;
      this.set({ state: 'busy' }, totalCount - idleCount);
      this.set({ state: 'idle' }, idleCount);
      this.set({ state: 'waiting' }, waitingCount);
    },
  });
  return database;
}

function connectProvider(config: Config, log: Logger, registry: Registry): PaymentProvider {
  const pool = createPool({
    url: config.DATABASE_URL,
    poolMax: PROVIDER_POOL_MAX,
    applicationName: 'test-payment-provider',
    log,
  });
  return guardProvider(createTestProvider(pool), {
    calls: new Counter({
      name: 'payment_provider_calls_total',
      help: 'Calls to the payment provider, retries included in one',
      labelNames: ['call', 'outcome'] as const,
      registers: [registry],
    }),
    isBreakerOpen: new Gauge({
      name: 'payment_provider_breaker_open',
      help: '1 while calls are refused at once',
      registers: [registry],
    }),
  });
}

function isStrong(secret: string): boolean {
  return secret.length >= SECRET_CHARS_MIN;
}

async function prepareOwner(config: Config, database: Database): Promise<void> {
  const token = config.COMMERCE_OWNER_SIGNIN_TOKEN;
  if (token !== '' && !isStrong(token)) {
    throw new ConfigError(['COMMERCE_OWNER_SIGNIN_TOKEN: at least 22 random characters are needed']);
  }
  await prepareOwnerLink(database.kysely, token === '' ? null : token);
}

async function prepareDemo(config: Config, database: Database): Promise<void> {
  if (!config.COMMERCE_DEMO) return closeDemo(database.kysely);
  const streamSecret = config.COMMERCE_DEMO_STREAM_SECRET;
  const signInToken = config.COMMERCE_DEMO_SIGNIN_TOKEN;
  if (!isStrong(streamSecret) || !isStrong(signInToken)) {
    throw new ConfigError([
      'COMMERCE_DEMO_STREAM_SECRET and COMMERCE_DEMO_SIGNIN_TOKEN: with COMMERCE_DEMO both need at least 22 random characters',
    ]);
  }
  return seedDemo(database.kysely, { streamSecret, signInToken });
}
