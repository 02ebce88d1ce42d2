/** What viewers of HLS and LL-HLS see, delay included. The protocol's own rules are in `hls-rules.ts`. */
import type { Criterion } from '../../src/index.ts';
import { hlsRules } from './hls-rules.ts';
import { HLS, LLHLS, playback } from './video.ts';

/** What a viewer of classic HLS sees. */
export const HLS_CRITERIA: readonly Criterion[] = [
  ...playback(HLS),
  {
    isMandatory: true,
    id: 'hls-latency-mean',
    title: 'HLS: glass-to-glass delay (tier A), average',
    meaning:
      'Average age of the picture when the player shows it. Being faster than the 5 s of the document is no failure.',
    source: '5.1 #6 (T-204), Readings 2 and 28',
    gate: 'M6',
    plane: 'video',
    needs: 'hls',
    measure: { kind: 'mean', metric: 'latency_capture_ms', where: { protocol: 'hls' } },
    needsClock: true,
    op: '<=',
    limit: 8000,
    unit: 'ms',
    during: 'steady',
    samplesMin: 30,
  },
  ...hlsRules(HLS),
];

/** What a viewer of LL-HLS sees. */
export const LLHLS_CRITERIA: readonly Criterion[] = [
  ...playback(LLHLS),
  ...hlsRules(LLHLS),
  {
    isMandatory: false,
    id: 'llhls-blocking-overrun-p95',
    title: 'LL-HLS: blocking reloads that come late, p95',
    meaning: 'How much later than the next part was due the list with it came.',
    source: 'qoe 2.4',
    plane: 'video',
    needs: 'llhls',
    measure: { kind: 'percentile', metric: 'hls_blocking_overrun_ms', percentile: 95 },
    op: '<=',
    limit: 200,
    unit: 'ms',
    during: 'steady',
    samplesMin: 30,
  },
];
