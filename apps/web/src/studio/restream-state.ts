import type { RestreamTargetView, ShowStatus } from '@showfloor/protocol';
import { isOnAir } from './show-phase.ts';

/** How a target stands, as one word: the media plane's states and what only the studio knows. */
export type TargetWord = RestreamTargetView['state'] | 'off' | 'keyLost';

/** Colour of the word. `bad`: it will not get better until the seller does something. */
export type TargetTone = 'quiet' | 'busy' | 'good' | 'wait' | 'bad';

/** A target that is refused for one of these will be refused again: its address, key or settings are wrong. */
const SELLERS_TO_MEND: ReadonlySet<string> = new Set([
  'bad_name',
  'denied',
  'malformed',
  'protocol',
  'refused',
  'rejected',
  'tls',
]);

const TONES: Readonly<Record<TargetWord, TargetTone>> = {
  off: 'quiet',
  idle: 'quiet',
  connecting: 'busy',
  active: 'good',
  waiting: 'wait',
  stopped: 'quiet',
  keyLost: 'bad',
};

/** Word and colour for a target. */
export function standingOf(target: RestreamTargetView): { readonly word: TargetWord; readonly tone: TargetTone } {
  if (target.reason === 'key_unreadable') return { word: 'keyLost', tone: TONES.keyLost };
  if (!target.isEnabled) return { word: 'off', tone: TONES.off };
  const { state, reason } = target;
  const isSellersToMend = state === 'waiting' && reason !== null && SELLERS_TO_MEND.has(reason);
  return { word: state, tone: isSellersToMend ? 'bad' : TONES[state] };
}

export const TARGETS_PERIOD_MS = 3_000;

/** How often to ask how the targets stand: they move only while the show is on air. */
export function targetsPeriodMs(status: ShowStatus): number | false {
  return isOnAir(status) ? TARGETS_PERIOD_MS : false;
}

/** The word to be read out: an attempt under way is no news, only what it comes to. */
export function spokenWord(word: TargetWord, spoken: TargetWord | null): TargetWord | null {
  return word === 'connecting' ? spoken : word;
}
