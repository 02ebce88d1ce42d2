/** Tables for spreadsheets (RFC 4180): every slice of the run, and every criterion. */
import type { RunData } from '../run-folder/run-reader.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import { traceOf } from './trace.ts';

const TREND_FIELDS = ['count', 'p50', 'p95', 'p99', 'max'] as const;

/** One row per slice; columns are all series of the run in alphabetical order. What was not there is empty, not zero. */
export function seriesCsv({ lines, manifest }: RunData): string {
  const keysOf = (read: (line: RunData['lines'][number]) => object): string[] =>
    [...new Set(lines.flatMap((line) => Object.keys(read(line))))].sort();
  const gauges = keysOf((line) => line.gauges);
  const counters = keysOf((line) => line.counters);
  const trends = keysOf((line) => line.trends);
  const head = [
    'at_ms',
    'at',
    'phase',
    ...gauges,
    ...counters,
    ...trends.flatMap((key) => TREND_FIELDS.map((field) => `${key} ${field}`)),
  ];
  const rows = lines.map((line) => [
    line.atMs,
    new Date(manifest.startedAtWallMs + line.atMs).toISOString(),
    manifest.phases.find(({ fromMs, toMs }) => line.atMs >= fromMs && line.atMs < toMs)?.name,
    ...gauges.map((key) => line.gauges[key]),
    ...counters.map((key) => line.counters[key]),
    ...trends.flatMap((key) => TREND_FIELDS.map((field) => line.trends[key]?.[field])),
  ]);
  return table([head, ...rows]);
}

/** One row per criterion. */
export function criteriaCsv({ judgements }: RunVerdict): string {
  const head = [
    'id',
    'title',
    'plane',
    'mandatory',
    'gate',
    'source',
    'outcome',
    'value',
    'unit',
    'op',
    'limit',
    'margin_percent',
    'samples',
    'samples_needed',
    'worst_value',
    'worst_from_ms',
    'worst_to_ms',
    'worst_decides',
    'decided_by',
    'reason',
    'metrics',
    'file',
  ];
  const rows = judgements.map(({ criterion, worst, ...one }) => [
    criterion.id,
    criterion.title,
    criterion.plane,
    criterion.isMandatory,
    criterion.gate,
    criterion.source,
    one.outcome,
    one.value,
    criterion.unit,
    criterion.op,
    criterion.limit,
    one.marginPercent,
    one.samples,
    one.samplesNeeded,
    worst?.value,
    worst?.fromMs,
    worst?.toMs,
    worst?.isDecisive,
    one.which,
    one.reason,
    traceOf(criterion.measure).metrics.join(' '),
    traceOf(criterion.measure).file,
  ]);
  return table([head, ...rows]);
}

type Cell = string | number | boolean | null | undefined;

function table(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(cellText).join(',')}\r\n`).join('');
}

/** A name that a target chose must not become a formula of whoever opens the table. */
function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  const raw = String(cell);
  const text = typeof cell === 'string' && /^[=+\-@\t\r]/.test(raw) ? `'${raw}` : raw;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
