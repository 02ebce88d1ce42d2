import { AsyncLocalStorage } from 'node:async_hooks';

/** What one request spent where, for its log line. */
export type RequestTime = { databaseMs: number; externalMs: number };

const storage = new AsyncLocalStorage<RequestTime>();

/** Runs `work` so that queries and outside calls made below it are added up in `time`. */
export function withRequestTime<T>(time: RequestTime, work: () => T): T {
  return storage.run(time, work);
}

export function addDatabaseTime(ms: number): void {
  const time = storage.getStore();
  if (time !== undefined) time.databaseMs += ms;
}

export function addExternalTime(ms: number): void {
  const time = storage.getStore();
  if (time !== undefined) time.externalMs += ms;
}
