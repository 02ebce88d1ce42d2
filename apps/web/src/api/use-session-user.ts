import type { SessionUser } from '@showfloor/protocol';
import { useSyncExternalStore } from 'react';
import { session } from './session.ts';

/** The person signed in, or null; renders again when that changes. */
export function useSessionUser(): SessionUser | null {
  return useSyncExternalStore(session.subscribe, session.snapshot);
}
