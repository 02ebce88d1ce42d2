import type { Floor } from './floor.ts';
import { waitFor } from './wait-for.ts';

/** The token of the one-time link that the supervisor printed for the demo's seller. */
export function signInToken(floor: Floor): Promise<string> {
  return waitFor('the sign-in link', () => /signin\?token=([\w-]+)/.exec(floor.output())?.[1]);
}
