import { createLogger, runService, StartError } from '@showfloor/service-kit';
import pg from 'pg';

/** A service that keeps a row per start, refuses a variable, and keeps using the database while it may be down. */
await runService(async () => {
  const { DATABASE_URL, COMMERCE_TYPO } = process.env;
  if (COMMERCE_TYPO !== undefined) throw new StartError('COMMERCE_TYPO: no such variable');
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
  const log = createLogger('stand-in', 'info');
  pool.on('error', (error) => log.warn({ err: error }, 'database.lost'));
  await pool.query('CREATE TABLE IF NOT EXISTS starts (pid int)');
  await pool.query('INSERT INTO starts VALUES ($1)', [process.pid]);
  return { log, close: () => pool.end() };
});
