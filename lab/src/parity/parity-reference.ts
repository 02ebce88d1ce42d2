/** A reference: what an environment has to be like, as a file that people write and `parity --write` makes. */
import { parse, stringify } from 'yaml';
import type { Settings } from './config-settings.ts';

/** How a found value must relate to the wanted one. `prefix`: versions, 16 matches 16.4. */
export const PARITY_MATCHES = ['equal', 'prefix', 'at-least', 'at-most'] as const;
/** One of {@link PARITY_MATCHES}. */
export type ParityMatch = (typeof PARITY_MATCHES)[number];

/** One demand. */
export type ParityDemand = {
  readonly value: string | number;
  readonly match: ParityMatch;
  /** Printed, and no reason to stop. */
  readonly isAdvisory: boolean;
  /** Why a difference is known and wanted: it is then shown and accepted. */
  readonly delta: string | null;
  /** Who asks for it. */
  readonly source: string | null;
};

/** The whole file. */
export type ParityReference = { readonly name: string; readonly demands: Readonly<Record<string, ParityDemand>> };

/** The file is no reference; the message says what is wrong. */
export class ParityReferenceError extends Error {
  override readonly name = 'ParityReferenceError';
}

/** Reads YAML or JSON (every JSON is YAML). Throws {@link ParityReferenceError}. */
export function parseReference(text: string): ParityReference {
  let file: unknown;
  try {
    file = parse(text);
  } catch (error) {
    throw new ParityReferenceError(error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unreadable');
  }
  const { version, name, settings } = isRecord(file) ? file : {};
  if (version !== 1 || !isRecord(settings)) {
    throw new ParityReferenceError('it needs `version: 1` and `settings:`');
  }
  const demands = Object.entries(settings).map(([setting, demand]) => [setting, demandOf(setting, demand)] as const);
  if (demands.length === 0) throw new ParityReferenceError('it demands nothing');
  return { name: typeof name === 'string' ? name : 'unnamed', demands: Object.fromEntries(demands) };
}

function demandOf(name: string, given: unknown): ParityDemand {
  const demand = isRecord(given) ? given : { value: given };
  const { value, match = 'equal', advisory = false, delta = null, source = null } = demand;
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new ParityReferenceError(`${name}: its value must be a text or a number (quote on, off and versions)`);
  }
  const known = PARITY_MATCHES.find((one) => one === match);
  if (known === undefined) throw new ParityReferenceError(`${name}: match is one of ${PARITY_MATCHES.join(', ')}`);
  return {
    value,
    match: known,
    isAdvisory: advisory === true,
    delta: typeof delta === 'string' ? delta : null,
    source: typeof source === 'string' ? source : null,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A reference that this environment meets: versions by prefix, everything else as it is. */
export function referenceText(name: string, settings: Settings): string {
  const demands = Object.entries(settings)
    .filter(([key]) => !MEASURED.has(key))
    .map(([key, value]) => [key, key.endsWith('.version') ? { value, match: 'prefix' } : value] as const);
  return stringify({ version: 1, name, settings: Object.fromEntries(demands) });
}

/** Differs from one minute to the next: no part of a reference that is made. */
const MEASURED: ReadonlySet<string> = new Set(['generator.round_trip_ms']);
