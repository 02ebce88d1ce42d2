import Table from 'cli-table3';
import { formatValue } from '../report/sentences.ts';
import type { RepeatedCriterion, Repetitions } from '../run-folder/repetitions.ts';

const MARKS = { pass: '✓', fail: '✗', inconclusive: '?', 'not applicable': '–' } as const;

/** Several runs for a terminal: each criterion with what it came to and how far that spreads. */
export function repetitionReport(summary: Repetitions, path: string): string {
  const table = new Table({
    head: ['', 'criterion', 'least', 'median', 'most', 'spread'],
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
    colWidths: [summary.outcomes.length + 2, 44, 11, 11, 11, 9],
    wordWrap: true,
  });
  for (const one of summary.criteria) table.push(row(one));
  const word = summary.isReady ? 'READY' : summary.outcome.toUpperCase();
  return [
    '',
    table.toString(),
    `${summary.outcomes.length} of ${summary.wanted} runs: ${summary.outcomes.join(', ')}`,
    `${word}. The worst of them is the verdict.`,
    `summary: ${path}`,
  ].join('\n');
}

function row({ criterion, outcomes, min, median, max, spreadPercent }: RepeatedCriterion): string[] {
  const value = (of: number | null): string => (of === null ? '–' : formatValue(of, criterion.unit));
  return [
    outcomes.map((outcome) => MARKS[outcome]).join(''),
    criterion.isMandatory ? criterion.title : `${criterion.title} (advisory)`,
    value(min),
    value(median),
    value(max),
    spreadPercent === null ? '–' : formatValue(spreadPercent, 'percent'),
  ];
}
