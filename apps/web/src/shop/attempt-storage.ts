import type { AttemptStorage } from './checkout-attempt.ts';

/**
 * A storage that never throws: what the browser refuses (already the mere mention of `sessionStorage` may throw) lives as
 * long as the page. `open` is asked at each use.
 */
export function guardedStorage(open: () => AttemptStorage | undefined): AttemptStorage {
  const kept = new Map<string, string>();
  const tried = (use: (storage: AttemptStorage) => string | null): string | null => {
    try {
      const storage = open();
      return storage === undefined ? null : use(storage);
    } catch {
      return null; // refused or full: `kept` has it
    }
  };
  return {
    getItem: (key) => kept.get(key) ?? tried((storage) => storage.getItem(key)),
    setItem: (key, value) => {
      kept.set(key, value);
      tried((storage) => {
        storage.setItem(key, value);
        return null;
      });
    },
    removeItem: (key) => {
      kept.delete(key);
      tried((storage) => {
        storage.removeItem(key);
        return null;
      });
    },
  };
}

/** Where this tab keeps its purchase attempt. */
export const attemptStorage = guardedStorage(() => sessionStorage);
