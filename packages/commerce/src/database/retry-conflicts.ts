import { sqlState } from './database.ts';

const ATTEMPTS_MAX = 4;
const RETRYABLE = new Set(['40001', '40P01']); // serialization failure, deadlock: PostgreSQL has rolled back

/** Runs a whole transaction again when PostgreSQL chose it as the victim of a conflict; at most four times. */
export async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !RETRYABLE.has(sqlState(error) ?? '')) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
    }
  }
}
