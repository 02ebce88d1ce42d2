import type { Criterion, Scenario } from '../src/index.ts';

const PARTITION = 'partition';
const PUBLISHER_GONE = 'publisher-gone';
const MEDIA_KILLED = 'media-killed';

/**
 * Who was watching when the fault came, and how soon they saw a new picture. The clock starts when the fault is healed: the
 * network is whole, the publisher is back, the media server answers (Readings 13). With a grace window the show is
 * interrupted and resumed meanwhile, not ended (Readings 4): what counts for a viewer is the picture.
 */
function back(
  fault: string,
  seconds: 5 | 10,
  criterion: Pick<Criterion, 'id' | 'title' | 'source' | 'isMandatory'>,
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

const CRITERIA: readonly Criterion[] = [
  back(
    PARTITION,
    5,
    {
      id: 'back-after-partition',
      title: 'Back ≤ 5 s after a network partition',
      source: 'T-99 (2.2 S4), T-36 (1.5), T-206 (5.1 #8), Readings 13',
      isMandatory: true,
    },
    ' The partition is made by a proxy: without the pauses in which TCP tries again after a real cut, so this is a lower bound.',
  ),
  back(PUBLISHER_GONE, 10, {
    id: 'back-after-publisher',
    title: 'Back ≤ 10 s after the publisher',
    source: 'T-100 (2.2 S4), T-37 (1.5), 5.2 A6, Readings 4',
    isMandatory: true,
  }),
  {
    isMandatory: true,
    id: 'media-restart',
    title: 'Media server up again',
    meaning: 'From killing it until it answers an independent probe.',
    source: 'T-101 (2.2 S4)',
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
    source: 'T-98 (2.2 S4), G-54',
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

/**
 * The strategy's recovery test (2.2 S4), its video part. The publisher and the media server have to be named:
 * `--process media-server=<pid>`, `--command publisher:stop=… --command publisher:start=…`; what is not named is skipped and
 * its criterion inconclusive.
 */
export const scenario: Scenario = {
  name: 'recovery',
  purpose:
    'Three hundred viewers live through a network partition, a publisher who drops out, and a killed media server.',
  durationMs: 1_200_000,
  viewers: 300,
  groups: {
    viewers: {
      actor: 'flv-viewer',
      timing: {
        executor: 'ramping-vus',
        startVus: 0,
        stages: [
          { durationMs: 240_000, target: 300 },
          { durationMs: 960_000, target: 300 },
        ],
      },
      options: { profile: 'mpegts.js', sampleEvery: 10 },
    },
  },
  faults: [
    { name: PARTITION, atMs: 300_000, durationMs: 10_000, fault: { kind: 'partition' }, on: ['video'] },
    { name: PUBLISHER_GONE, atMs: 600_000, durationMs: 5000, fault: { kind: 'publisher-stop' }, on: ['video'] },
    {
      name: MEDIA_KILLED,
      atMs: 900_000,
      durationMs: 5000,
      fault: { kind: 'process-kill', process: 'media-server' },
      on: ['video'],
    },
  ],
  criteria: CRITERIA,
};
