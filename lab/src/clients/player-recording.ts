import type { PlayerInput } from '../player/player-input.ts';
import type { PlayerProfile } from '../player/player-profile.ts';
import { PLAYER_INPUT_EVENT } from '../player/replay-viewer.ts';
import type { ActorContext } from './actor.ts';

/**
 * Writes what goes into the players of every n-th viewer of a group to the run's events, from which `replay` plays it again;
 * undefined for viewers that are not recorded.
 */
export function recorderOf(
  { vu, event }: Pick<ActorContext, 'vu' | 'event'>,
  profile: PlayerProfile['name'],
  recordEvery: number | undefined,
): ((input: PlayerInput) => void) | undefined {
  if (recordEvery === undefined || vu.indexInGroup % recordEvery !== 0) return undefined;
  return (input) => event(PLAYER_INPUT_EVENT, { profile, ...input });
}
