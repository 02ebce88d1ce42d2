import { join } from 'node:path';
import { startRealtimePlane } from '@showfloor/realtime';
import {
  createLogger,
  createMetrics,
  describeConfig,
  loadSecrets,
  runService,
  type Service,
  startAdminServer,
} from '@showfloor/service-kit';
import { type Config, loadConfig, VARIABLES } from './config.ts';

/** The admin listener is never opened to the network, whatever HOST says (bar S16). */
const ADMIN_HOST = '127.0.0.1';

async function start(): Promise<Service> {
  const config = loadConfig();
  const log = createLogger('realtime', config.LOG_LEVEL);
  const registry = createMetrics('realtime');
  const plane = await startRealtimePlane({
    host: config.HOST,
    port: config.REALTIME_PORT,
    dataDir: stateFolder(config),
    secrets: loadSecrets(config.DATA_DIR),
    registry,
    log,
    allowedOrigins: config.REALTIME_ALLOWED_ORIGINS,
    trustedProxies: config.REALTIME_TRUSTED_PROXIES,
    connectionsMax: config.REALTIME_CONNECTIONS_MAX,
    chatRetentionDays: config.REALTIME_CHAT_RETENTION_DAYS,
    connectionsPerAddressMax: config.REALTIME_CONNECTIONS_PER_ADDRESS_MAX,
    redis: config.REDIS_URL === '' ? undefined : { url: config.REDIS_URL },
  });
  const admin = await startAdminServer({
    host: ADMIN_HOST,
    port: config.REALTIME_ADMIN_PORT,
    registry,
    checks: { listening: plane.isListening },
  });
  return {
    log,
    close: async () => {
      await plane.close();
      admin.closeAllConnections();
      admin.close();
    },
  };
}

/** Nodes of one installation share its keys, never their journals. */
function stateFolder({ DATA_DIR, REALTIME_NODE }: Config): string {
  return REALTIME_NODE === '' ? DATA_DIR : join(DATA_DIR, 'realtime-nodes', REALTIME_NODE);
}

if (process.argv.includes('--help')) {
  process.stdout.write(`realtime-server: chat, viewers and live product events\n\n${describeConfig(VARIABLES)}\n`);
} else {
  await runService(start);
}
