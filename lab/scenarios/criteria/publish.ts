/** What the lab's own publishers meet (qoe 2.5). */
import type { Criterion } from '../../src/index.ts';

const PUBLISH = { plane: 'video', source: 'qoe 2.5 (publisher), T-193 (4.4)' } as const;

/** Every stream is taken, stays on air and leaves in time. */
export const PUBLISH_CRITERIA: readonly Criterion[] = [
  {
    ...PUBLISH,
    isMandatory: true,
    id: 'publish-losses',
    title: 'Publishes that broke off',
    meaning: 'Streams of the lab that were on air and lost their connection.',
    measure: { kind: 'count', metric: 'publish_losses_total', outOf: 'publish_pacing_checks_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  },
  {
    ...PUBLISH,
    isMandatory: true,
    id: 'publish-dropped',
    title: 'Pictures that publishers left out',
    meaning: 'Tags dropped because the server took them more slowly than real time.',
    measure: { kind: 'count', metric: 'publish_dropped_tags_total', outOf: 'publish_pacing_checks_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  },
  {
    ...PUBLISH,
    isMandatory: false,
    id: 'publish-pacing-p95',
    title: 'Publishers late with a picture, p95',
    meaning: 'Of each stream and second the latest picture: what is late here is late for every viewer.',
    measure: { kind: 'percentile', metric: 'publish_pacing_error_ms', percentile: 95 },
    op: '<=',
    limit: 100,
    unit: 'ms',
    during: 'steady',
    samplesMin: 30,
  },
];
