/** What limits a run may speak of. Each stamp takes the word READY away; criteria are judged all the same. */
import type { Judgement } from '../verdict/judge.ts';
import type { Manifest } from './manifest.ts';

/** By stamp: why such a run says nothing about readiness. */
export const STAMP_REASONS = {
  shortened: 'it was shorter or smaller than the scenario asks for',
  'co-located': 'generator and target shared a machine',
  steered: 'its size was changed by hand while it ran',
  'over-capacity': 'it asked more of the generator than it can do without strain',
  uncalibrated: 'nobody measured what the generator can do',
  'generator-suspected': 'the crowd fared much worse than its canary',
  'parity-mismatch': 'its environment differs from the reference it was held against',
  indicative: 'it was too small to prove what it shows',
} as const;

/** One of {@link STAMP_REASONS}. */
export type Stamp = keyof typeof STAMP_REASONS;

/** Stamps of a run, in a fixed order. */
export function stampsOf(manifest: Manifest, judgements: readonly Judgement[], isSuspected = false): Stamp[] {
  const { calibration } = manifest;
  const isSmall = judgements.some(
    ({ criterion, outcome, isIndicative }) => criterion.isMandatory && outcome === 'pass' && isIndicative,
  );
  const facts: Readonly<Record<Stamp, boolean>> = {
    shortened: manifest.isShortened,
    'co-located': manifest.isCoLocated,
    steered: manifest.steering !== undefined,
    'over-capacity': (calibration?.usedPercent ?? 0) > (calibration?.limitPercent ?? 100),
    uncalibrated: calibration?.source === 'unknown',
    'generator-suspected': isSuspected,
    'parity-mismatch': (manifest.parity?.mismatches.length ?? 0) > 0,
    indicative: isSmall,
  };
  return (Object.keys(facts) as Stamp[]).filter((stamp) => facts[stamp]);
}
