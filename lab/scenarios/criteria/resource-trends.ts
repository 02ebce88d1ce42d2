/** Resources over time: flat in the soak (2.2 S3, 5.1 #3), back where they were after the spike (2.2 S2), clean after the drain. */
import type { Criterion, RunShare, SampleReturnMeasure } from '../../src/index.ts';
import { collected, PARTS } from './resources.ts';

/** Six hours: no leak, no swap, CPU with room. */
export const SOAK_RESOURCE_CRITERIA: readonly Criterion[] = [
  collected({
    id: 'memory-growth',
    title: 'Memory growth of the worst part',
    meaning: 'Resident memory: the last tenth of the steady phase against its first (medians), each part on its own.',
    source: '2.2 S3 (T-85), 5.1 #3 (T-201)',
    gate: 'M3',
    measure: { metric: 'mem_mb', reduce: 'growth-percent', collectors: PARTS },
    limit: 10,
    unit: 'percent',
    samplesMin: 30,
  }),
  collected({
    id: 'soak-swap',
    title: 'Swap in use',
    meaning: 'Highest sample of any part, over the whole run.',
    source: '2.2 S3 (T-86), 5.1 #3 (T-201)',
    gate: 'M3',
    measure: { metric: 'swap_mb', reduce: 'max', collectors: PARTS },
    op: '<=',
    limit: 0,
    unit: 'megabytes',
    during: 'run',
  }),
  collected({
    id: 'cpu-mean',
    title: 'CPU of the busiest part, average',
    meaning: 'Average of any container or process, as a share of the CPU it may use.',
    source: '2.2 S3 (T-87), Readings 16',
    measure: { metric: 'cpu_pct', reduce: 'mean', collectors: PARTS, per: 'core' },
    limit: 75,
    unit: 'percent',
    samplesMin: 30,
  }),
  collected({
    id: 'memory-slope',
    title: 'Memory trend of the worst part',
    meaning: 'Theil–Sen slope of resident memory: flat is what a soak looks for.',
    source: '2.2 S3 (T-80)',
    measure: { metric: 'mem_mb', reduce: 'slope-per-hour', collectors: PARTS },
    limit: 10,
    unit: 'megabytes-per-hour',
    samplesMin: 30,
    isMandatory: false,
  }),
  collected({
    id: 'open-files-growth',
    title: 'Growth of open files',
    meaning: 'File descriptors of the worst part: the last tenth of the steady phase against its first.',
    source: '2.2 S3 (T-81)',
    measure: { metric: 'fds', reduce: 'growth-percent', collectors: PARTS },
    limit: 10,
    unit: 'percent',
    samplesMin: 30,
    isMandatory: false,
  }),
  collected({
    id: 'postgres-connections',
    title: 'PostgreSQL connections in use',
    meaning: 'Highest share of the connections that the server allows: a pool that runs dry shows here first.',
    source: '2.2 S3 (T-83, T-88)',
    needsCollector: 'postgres',
    measure: { metric: 'connections_pct', reduce: 'max', collectors: ['postgres'] },
    limit: 95,
    unit: 'percent',
    plane: 'commerce',
  }),
];

/** In the spike: 50 viewers before 2:00, and again from 2 minutes after the drop at 10:30. Of 15 minutes. */
const BEFORE_SPIKE: RunShare = { from: 1 / 15, to: 2 / 15 };
const AFTER_SPIKE: RunShare = { from: 12.5 / 15, to: 1 };

function back(
  id: string,
  title: string,
  source: string,
  measure: Pick<SampleReturnMeasure, 'metric' | 'slack' | 'collectors'>,
): Criterion {
  return {
    id,
    title,
    meaning:
      'Median from two minutes after the crowd left, over the median before it came; each part on its own, the worst decides.',
    source,
    plane: 'video',
    isMandatory: true,
    measure: { kind: 'sample-return', ...measure, before: BEFORE_SPIKE, after: AFTER_SPIKE },
    op: '<=',
    limit: 10,
    unit: 'percent',
    during: 'run',
    samplesMin: 6,
  };
}

/** After the spike everything is as before (2.2 S2). Slack: what idle machines differ by anyhow. */
export const SPIKE_RETURN_CRITERIA: readonly Criterion[] = [
  back('cpu-back', 'CPU after the spike over before', '2.2 S2 (T-70)', {
    metric: 'cpu_pct',
    slack: 10,
    collectors: PARTS,
  }),
  back('heap-back', 'Heap after the spike over before', '2.2 S2 (T-71)', {
    metric: 'heap_used_mb',
    slack: 16,
    collectors: ['node'],
  }),
];

/** Nobody stays connected who has left (2.2 S1). */
export const DRAIN_CRITERIA: readonly Criterion[] = [
  collected({
    id: 'orphan-connections',
    title: 'Connections left over after the drain',
    meaning: 'Clients of the media server at the end, over those before the run.',
    source: '2.2 S1 (T-61)',
    measure: { metric: 'viewers', reduce: 'left-over', collectors: ['media', 'srs'] },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 2,
  }),
];
