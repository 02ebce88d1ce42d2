/** What the platform says of a show whose publisher drops out (2.2 S4, Readings 4): interrupted and resumed within its grace window. */
import type { Criterion } from '../../src/index.ts';

const SHOW = { plane: 'realtime', during: 'run', samplesMin: 1 } as const;

/** A platform without a grace window meets them by ended and live. */
export const SHOW_CRITERIA: readonly Criterion[] = [
  {
    ...SHOW,
    isMandatory: true,
    id: 'show-loss-told',
    title: 'Losses of the publisher that the room was told of',
    meaning: 'Interrupted within 10 s (ended, where there is no grace window), out of all losses.',
    source: '2.2 S4 (T-103, T-104), Readings 4',
    measure: { kind: 'ratio', numerator: 'show_losses_told_total', denominator: 'show_losses_total' },
    op: '>=',
    limit: 100,
    unit: 'percent',
  },
  {
    ...SHOW,
    isMandatory: true,
    id: 'show-return-told',
    title: 'Returns of the publisher that the room was told of',
    meaning: 'Resumed (or live again) within 10 s, out of all returns before the grace window ran out.',
    source: '2.2 S4 (T-104), Readings 4',
    measure: { kind: 'ratio', numerator: 'show_returns_told_total', denominator: 'show_returns_total' },
    op: '>=',
    limit: 100,
    unit: 'percent',
  },
  {
    ...SHOW,
    isMandatory: true,
    id: 'show-ended-early',
    title: 'Shows called ended before their grace window ran out',
    meaning: 'A viewer who is told so leaves, although the picture comes back.',
    source: '2.2 S4 (T-103), Readings 4',
    measure: { kind: 'count', metric: 'show_ended_early_total', outOf: 'show_losses_total' },
    op: '<=',
    limit: 0,
    unit: 'count',
  },
];

/** For a loss that outlasts the grace window. */
export const SHOW_END_CRITERIA: readonly Criterion[] = [
  {
    ...SHOW,
    isMandatory: true,
    id: 'show-ended-on-time',
    title: 'Shows called ended once their grace window ran out',
    meaning: 'Within 10 s of its end, out of grace windows that ran out without the publisher.',
    source: '2.2 S4 (T-103), Readings 4',
    measure: { kind: 'ratio', numerator: 'show_ends_on_time_total', denominator: 'show_ends_due_total' },
    op: '>=',
    limit: 100,
    unit: 'percent',
  },
];
