import { guardedStorage } from '../shop/attempt-storage.ts';
import type { PlayerChoice } from './playback-policy.ts';

/** As offered to the viewer, in this order. */
export const PLAYER_CHOICES = ['auto', 'flv', 'll-hls', 'hls'] as const satisfies readonly PlayerChoice[];

const STORAGE_KEY = 'showfloor.player';
const storage = guardedStorage(() => localStorage);

/** What this browser plays by: `?player=` of the page (for tests and support) before what was chosen here before. */
export function readPlayerChoice(search: string): PlayerChoice {
  return asChoice(new URLSearchParams(search).get('player')) ?? asChoice(storage.getItem(STORAGE_KEY)) ?? 'auto';
}

/** Remembers a choice for the next show. `auto` forgets. */
export function keepPlayerChoice(choice: PlayerChoice): void {
  if (choice === 'auto') storage.removeItem(STORAGE_KEY);
  else storage.setItem(STORAGE_KEY, choice);
}

function asChoice(text: string | null): PlayerChoice | null {
  return PLAYER_CHOICES.find((choice) => choice === text) ?? null;
}
