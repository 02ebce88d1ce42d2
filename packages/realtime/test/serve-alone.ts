/**
 * The plane as a process of its own, to be killed: `serve-alone.ts {dataDir} {port} [{redisUrl} {heartbeatMs}]`; prints its port as
 * a line. Ends with its standard input.
 */
import { createLogger, createMetrics, loadSecrets } from '@showfloor/service-kit';
import { startRealtimePlane } from '../src/index.ts';

const [dataDir = '', port = '0', redisUrl = '', heartbeatMs = '5000'] = process.argv.slice(2);
const plane = await startRealtimePlane({
  host: '127.0.0.1',
  port: Number(port),
  dataDir,
  secrets: loadSecrets(dataDir),
  registry: createMetrics('realtime'),
  log: createLogger('realtime', 'silent'),
  redis: redisUrl === '' ? undefined : { url: redisUrl, heartbeatMs: Number(heartbeatMs) },
});
process.stdout.write(`${plane.port}\n`);
process.stdin.on('end', () => process.exit()).resume();
