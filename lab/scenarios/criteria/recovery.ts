/** After a fault: who is back, and how soon (strategy 1.5, 2.2 S4, 5.1 #8, 5.2 A6). */
import type { Criterion } from '../../src/index.ts';

/** Names of the faults of the recovery scenario; its criteria look for them. */
export const PARTITION = 'partition';
/** The publisher stops and comes back. */
export const PUBLISHER_GONE = 'publisher-gone';
/** The media server is killed and started again. */
export const MEDIA_KILLED = 'media-killed';

/**
 * Who was watching when the fault came, and how soon they saw a new picture. The clock starts when the fault is healed: the
 * network is whole, the publisher is back, the media server answers (Readings 13). With a grace window the show is
 * interrupted and resumed meanwhile, not ended (Readings 4): what counts for a viewer is the picture.
 */
function back(
  fault: string,
  seconds: 5 | 10,
  criterion: Pick<Criterion, 'id' | 'title' | 'source' | 'isMandatory' | 'gate'>,
  caveat = '',
): Criterion {
  return {
    ...criterion,
    meaning: `Viewers with a picture they had not seen before at most ${seconds} s after the healing, out of those who were watching. Never losing the picture counts as being back.${caveat}`,
    plane: 'video',
    measure: {
      kind: 'ratio',
      numerator: `recovered_${seconds}s_total`,
      denominator: 'recovery_viewers_total',
      where: { fault },
    },
    op: '>',
    limit: 95,
    unit: 'percent',
    during: 'run',
    samplesMin: 20,
  };
}

/** 2.2, scenario 4, its video part. */
export const RECOVERY_CRITERIA: readonly Criterion[] = [
  back(
    PARTITION,
    5,
    {
      id: 'back-after-partition',
      title: 'Back ≤ 5 s after a network partition',
      source: '2.2 S4 (T-99), 1.5 (T-36), 5.1 #8 (T-206), Readings 13',
      gate: 'M8',
      isMandatory: true,
    },
    ' The partition is made by a proxy: without the pauses in which TCP tries again after a real cut, so this is a lower bound.',
  ),
  back(PUBLISHER_GONE, 10, {
    id: 'back-after-publisher',
    title: 'Back ≤ 10 s after the publisher',
    source: '2.2 S4 (T-100), 1.5 (T-37), 5.2 A6 (T-215), Readings 4',
    gate: 'A6',
    isMandatory: true,
  }),
  {
    isMandatory: true,
    id: 'media-restart',
    title: 'Media server up again',
    meaning: 'From killing it until it answers an independent probe.',
    source: '2.2 S4 (T-101)',
    plane: 'video',
    measure: { kind: 'percentile', metric: 'fault_outage_ms', percentile: 100, where: { fault: MEDIA_KILLED } },
    op: '<=',
    limit: 30_000,
    unit: 'ms',
    during: 'run',
    samplesMin: 1,
  },
  back(MEDIA_KILLED, 10, {
    id: 'back-after-restart',
    title: 'Back ≤ 10 s after the media server',
    source: '2.2 S4 (T-98), G-54',
    isMandatory: false,
  }),
  {
    isMandatory: true,
    id: 'faults-verified',
    title: 'Faults that were really there',
    meaning: 'Faults that an independent probe saw at work, out of those whose time came.',
    source: 'qoe 3.15',
    plane: 'video',
    measure: { kind: 'ratio', numerator: 'faults_verified_total', denominator: 'faults_planned_total' },
    op: '>=',
    limit: 100,
    unit: 'percent',
    during: 'run',
    samplesMin: 1,
  },
  {
    isMandatory: false,
    id: 'never-back',
    title: 'Viewers who never came back',
    meaning: 'Without a new picture until the next fault, or until they left.',
    source: 'qoe 2.5',
    plane: 'video',
    measure: { kind: 'count', metric: 'recovery_lost_total', outOf: 'recovery_viewers_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 20,
  },
];
