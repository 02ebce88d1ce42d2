/** The rules of the protocol that a viewer must not see broken (RFC 8216), and delay by the packager's clock. */
import type { Criterion } from '../../src/index.ts';
import type { Way } from './video.ts';

/** What a viewer of HLS, classic or low-latency, must not meet: the protocol's own rules. */
export function hlsRules(way: Way): Criterion[] {
  const { protocol, name, prefix } = way;
  const where = { protocol };
  const zero = (
    rule: Readonly<{
      id: string;
      title: string;
      meaning: string;
      source: string;
      metric: string;
      outOf: string;
      isMandatory: boolean;
    }>,
  ): Criterion => ({
    id: `${prefix}${rule.id}`,
    title: `${name}: ${rule.title}`,
    meaning: rule.meaning,
    source: rule.source,
    plane: 'video',
    needs: protocol,
    isMandatory: rule.isMandatory,
    measure: { kind: 'count', metric: rule.metric, outOf: rule.outOf, where },
    op: '<=',
    limit: 0,
    unit: 'count',
    during: 'run',
    samplesMin: 1,
  });
  const share = (
    rule: Readonly<{
      id: string;
      title: string;
      meaning: string;
      source: string;
      numerator: string;
      denominator: string;
    }>,
  ): Criterion => ({
    id: `${prefix}${rule.id}`,
    title: `${name}: ${rule.title}`,
    meaning: rule.meaning,
    source: rule.source,
    plane: 'video',
    needs: protocol,
    isMandatory: false,
    measure: { kind: 'ratio', numerator: rule.numerator, denominator: rule.denominator, where },
    op: '<',
    limit: 1,
    unit: 'percent',
    during: 'steady',
    samplesMin: 30,
  });
  return [
    zero({
      id: 'missing',
      title: 'listed and not there',
      meaning: 'Segments, parts and init segments that the list named and the server answered with 4xx.',
      source: 'G-48 (2 row 3), qoe 2.4',
      metric: 'hls_fragments_missing_total',
      outOf: 'hls_fragments_total',
      isMandatory: true,
    }),
    zero({
      id: 'sequence-gaps',
      title: 'media left out',
      meaning:
        'Times that a viewer had to skip media: the window moved on, numbers were never listed, or nothing came.',
      source: 'G-48 (2 row 3), G-56 (3), qoe 2.4',
      metric: 'hls_sequence_gaps_total',
      outOf: 'hls_fragments_total',
      isMandatory: true,
    }),
    zero({
      id: 'regressions',
      title: 'numbers that went back',
      meaning: 'Lists whose media sequence is below that of the list before: players get stuck on it.',
      source: 'qoe 2.4',
      metric: 'hls_sequence_regressions_total',
      outOf: 'hls_list_changes_total',
      isMandatory: true,
    }),
    zero({
      id: 'renumbered',
      title: 'numbers skipped or repeated',
      meaning: 'Lists that give a segment another number than it had.',
      source: 'G-48 (2 row 3), qoe 2.4',
      metric: 'hls_sequence_renumbered_total',
      outOf: 'hls_list_changes_total',
      isMandatory: true,
    }),
    zero({
      id: 'pts-breaks',
      title: 'timestamps that do not go on',
      meaning: 'Fragments that do not begin where the one before ended, without a discontinuity; sampled viewers.',
      source: 'qoe 2.4',
      metric: 'hls_pts_breaks_total',
      outOf: 'hls_fragments_read_total',
      isMandatory: true,
    }),
    zero({
      id: 'own-reloads',
      title: 'lists our viewers asked for too early',
      meaning: 'The lab checks itself: its viewers wait as long as RFC 8216, 6.3.4 wants.',
      source: 'qoe 2.4',
      metric: 'hls_reloads_too_early_total',
      outOf: 'hls_reloads_total',
      isMandatory: true,
    }),
    zero({
      id: 'staleness',
      title: 'lists older than they may be',
      meaning: 'Times that a list was proven unchanged for more than 1.5 target durations.',
      source: 'G-57 (3), qoe 2.4, RFC 8216 6.2.2',
      metric: 'hls_list_stale_total',
      outOf: 'hls_list_changes_total',
      isMandatory: false,
    }),
    zero({
      id: 'duration-lies',
      title: 'listed durations that are wrong',
      meaning: 'Fragments that last 100 ms more or less than the list says; sampled viewers.',
      source: 'qoe 2.4',
      metric: 'hls_duration_lies_total',
      outOf: 'hls_fragments_read_total',
      isMandatory: false,
    }),
    share({
      id: 'late-share',
      title: 'fragments slower than real time',
      meaning: 'Segments and parts that took longer to fetch than they last: comes before stalls do.',
      source: 'qoe 2.4',
      numerator: 'hls_fragments_late_total',
      denominator: 'hls_fragments_total',
    }),
    share({
      id: 'rebuffer-rate',
      title: 'stalls per fragment',
      meaning:
        'Stalls out of segments and parts fetched: the other way of counting; the share of stalled time decides.',
      source: '1.2 (T-16), 5.1 #4 (T-202), Readings 3',
      numerator: 'stalls_total',
      denominator: 'hls_fragments_total',
    }),
    {
      isMandatory: false,
      id: `${prefix}latency-pdt-p95`,
      title: `${name}: delay by PROGRAM-DATE-TIME (tier C), p95`,
      meaning: 'Age of the picture by the clock of the packager: a tier of its own, which may leave out the encoder.',
      source: '1.1 (T-12), Readings 28',
      plane: 'video',
      needs: protocol,
      measure: { kind: 'percentile', metric: 'latency_pdt_ms', percentile: 95, where },
      needsClock: true,
      op: '<=',
      limit: protocol === 'hls' ? 8000 : 3500,
      unit: 'ms',
      during: 'steady',
      samplesMin: 30,
    },
  ];
}
