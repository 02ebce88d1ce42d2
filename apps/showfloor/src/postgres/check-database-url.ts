import { StartError } from '@showfloor/service-kit';
import pg from 'pg';

const CONNECT_TIMEOUT_MS = 5_000;
const VERSION_MIN = 150_000;

/** Sees that a PostgreSQL of one's own answers and is new enough. Throws {@link StartError} without the password. */
export async function checkDatabaseUrl(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined); // the query below says it
  try {
    await client.connect();
    const result = await client.query<{ server_version_num: string }>('SHOW server_version_num');
    const version = Number(result.rows[0]?.server_version_num ?? 0);
    if (version < VERSION_MIN) {
      throw new StartError(
        `DATABASE_URL: PostgreSQL ${Math.floor(version / 10_000)} is too old, 15 or newer is needed`,
      );
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `DATABASE_URL: the database cannot be used (${describe(error)}): correct it, or leave it empty for the embedded one`,
    );
  } finally {
    await client.end().catch(() => undefined); // it never was connected
  }
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return describe(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
