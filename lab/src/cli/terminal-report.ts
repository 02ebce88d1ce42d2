import Table from 'cli-table3';
import { formatClock } from '../engine/duration.ts';
import { keyFigures } from '../report/key-figures.ts';
import { formatLimit, formatValue, headline, outcomeSentence } from '../report/sentences.ts';
import { byUrgency } from '../report/urgency.ts';
import { canaryLines } from '../run-folder/run-canary.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import type { Judgement } from '../verdict/judge.ts';

const MARKS: Readonly<Record<Judgement['outcome'], string>> = {
  pass: '✓',
  fail: '✗',
  inconclusive: '?',
  'not applicable': '–',
};

/** The verdict for a terminal: table of criteria, figures beside it, and where the report is. */
export function terminalReport(run: RunData, verdict: RunVerdict, reportPath: string): string {
  const { manifest } = run;
  const table = new Table({
    head: ['', 'criterion', 'measured', 'limit', 'worst stretch', 'result'],
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
    colWidths: [3, 37, 10, 9, 24, 36],
    wordWrap: true,
  });
  const { broken, undecided, closest, held, notApplicable } = byUrgency(verdict.judgements);
  // As a file is read from its end, so is a terminal: what matters stands last, above the verdict.
  for (const judgement of [...closest, ...undecided, ...broken]) table.push(row(judgement));
  const { title, text } = headline(verdict, manifest);
  const figures = keyFigures(run).map(({ label, value }) => `${label} ${value}`);
  const advisories = verdict.judgements.filter(
    ({ criterion, outcome }) => !criterion.isMandatory && outcome === 'fail',
  );
  return [
    '',
    `${manifest.scenario.name} against ${manifest.target.kind} ${manifest.target.url} (${manifest.target.subject}), ` +
      `${formatClock(manifest.end?.elapsedMs ?? 0)} of ${formatClock(manifest.scenario.fullDurationMs)}, ` +
      `player profile ${manifest.playerProfiles.join(', ') || 'none'}, seed ${manifest.seed}`,
    ...(table.length === 0 ? [] : [table.toString()]),
    ...restLines(held, notApplicable),
    figures.join(' · '),
    `clock: ${manifest.clock.note}`,
    ...canaryLines(run),
    ...(manifest.skippedGroups.length > 0
      ? [`skipped, the target has no plane for them: ${manifest.skippedGroups.join(', ')}`]
      : []),
    ...(verdict.stamps.length > 0 ? [`stamped: ${verdict.stamps.join(', ')}`] : []),
    ...advisories.map(({ criterion }) => `advisory: ${criterion.title} is over its limit`),
    '',
    `${title.toUpperCase()}. ${text}`,
    `report: ${reportPath}`,
  ].join('\n');
}

/** What nobody has to read here: how many there are, and why some do not apply. */
function restLines(held: readonly Judgement[], notApplicable: readonly Judgement[]): string[] {
  const reasons = [...new Set(notApplicable.map(({ reason }) => reason))].join('; ');
  return [
    ...(held.length === 0 ? [] : [`✓ ${held.length} more held with more room: all in the report`]),
    ...(notApplicable.length === 0 ? [] : [`– ${notApplicable.length} not applicable: ${reasons}`]),
  ];
}

function row(judgement: Judgement): string[] {
  const { criterion, outcome, value, worst } = judgement;
  const window =
    worst === null
      ? ''
      : `${formatValue(worst.value, criterion.unit)} at ${formatClock(worst.fromMs)}–${formatClock(worst.toMs)}`;
  return [
    MARKS[outcome],
    criterion.isMandatory ? criterion.title : `${criterion.title} (advisory)`,
    value === null ? '–' : formatValue(value, criterion.unit),
    formatLimit(judgement),
    window,
    outcomeSentence(judgement),
  ];
}
