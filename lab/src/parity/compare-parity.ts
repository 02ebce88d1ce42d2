/** An environment held against a reference. Pure. What could not be read is unknown, never a match. */
import { EXIT_CODES } from '../verdict/verdict.ts';
import type { Settings } from './config-settings.ts';
import type { ParityDemand, ParityReference } from './parity-reference.ts';

/** `accepted`: differs, and the reference says why that is wanted. */
export type ParityOutcome = 'match' | 'mismatch' | 'accepted' | 'unknown';

/** One line of the table. */
export type ParityRow = {
  readonly setting: string;
  readonly demand: ParityDemand;
  readonly found: string | number | null;
  readonly outcome: ParityOutcome;
};

/** Every demand, in the order of the reference. */
export function compareParity({ demands }: ParityReference, settings: Settings): ParityRow[] {
  return Object.entries(demands).map(([setting, demand]) => {
    const found = settings[setting] ?? null;
    return { setting, demand, found, outcome: found === null ? 'unknown' : outcomeOf(found, demand) };
  });
}

function outcomeOf(found: string | number, demand: ParityDemand): ParityOutcome {
  if (meets(found, demand)) return 'match';
  return demand.delta === null ? 'mismatch' : 'accepted';
}

function meets(found: string | number, { value, match }: ParityDemand): boolean {
  switch (match) {
    case 'at-least':
      return Number(found) >= Number(value);
    case 'at-most':
      return Number(found) <= Number(value);
    case 'prefix': {
      const [have, want] = [parts(found), parts(value)];
      return want.every((part, index) => have[index] === part);
    }
    default:
      return typeof found === 'number' && typeof value === 'number'
        ? found === value
        : String(found).toLowerCase() === String(value).toLowerCase();
  }
}

/** `v24.2.1` and `16.4 (Debian …)` as numbers and words between dots. */
function parts(version: string | number): string[] {
  return String(version)
    .replace(/^v(?=\d)/, '')
    .split(/[ .-]/);
}

/** 5: something differs. 4: nothing does, but something is not known. 0: everything was seen, and matches. Advisories do not count. */
export function parityExitCode(rows: readonly ParityRow[]): number {
  const binding = rows.filter(({ demand }) => !demand.isAdvisory);
  if (binding.some(({ outcome }) => outcome === 'mismatch')) return EXIT_CODES.parity;
  return binding.some(({ outcome }) => outcome === 'unknown') ? EXIT_CODES.inconclusive : EXIT_CODES.passed;
}
