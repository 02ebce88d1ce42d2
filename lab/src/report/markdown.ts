/** The report as Markdown, for a pull request: verdict, what broke, every criterion, and how to run it again. */
import { formatClock } from '../engine/duration.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import { capacityOfRun, type RunVerdict } from '../run-folder/run-verdict.ts';
import { gateBoard } from '../verdict/gate-board.ts';
import type { Judgement, Outcome } from '../verdict/judge.ts';
import { type HonestyRow, honestyRows } from './honesty-section.ts';
import { keyFigures } from './key-figures.ts';
import { formatLimit, formatValue, headline, outcomeSentence } from './sentences.ts';
import { traceSentence } from './trace.ts';
import { byUrgency } from './urgency.ts';

const MARKS: Readonly<Record<Outcome, string>> = {
  pass: '✅',
  fail: '❌',
  inconclusive: '❔',
  'not applicable': '➖',
};
const HONESTY_MARKS: Readonly<Record<HonestyRow['tone'], string>> = { good: '✅', warn: '⚠️', bad: '❌', none: 'ℹ️' };

/** The whole file. */
export function markdownReport(run: RunData, verdict: RunVerdict): string {
  const { manifest } = run;
  const { title, text } = headline(verdict, manifest);
  const { broken, undecided, closest, held, notApplicable } = byUrgency(verdict.judgements);
  const first = [...broken, ...undecided, ...closest];
  const judged = [...first, ...held];
  const left = notApplicable.length;
  return `${[
    `## ${title}: ${cell(manifest.scenario.name)} against ${cell(manifest.target.url)}`,
    text,
    ...capacityOfRun(run, verdict).sentences,
    ...(verdict.stamps.length === 0 ? [] : [`Stamped: ${verdict.stamps.map((stamp) => `\`${stamp}\``).join(' ')}`]),
    keyFigures(run)
      .map(({ label, value }) => `**${value}** ${label}`)
      .join(' · '),
    ...(first.length === 0 ? [] : [table(first)]),
    ...(held.length === 0 ? [] : [folded(`${held.length} more held`, table(held))]),
    ...(left === 0 ? [] : [`${left} more do not apply to this target or run.`]),
    gate(verdict),
    folded('Can this run be believed?', honestyRows(run, verdict).map(honesty).join('\n')),
    folded(
      'Where the figures are',
      judged
        .map(
          ({ criterion }) =>
            `- ${cell(criterion.title)}: ${cell(traceSentence(criterion.measure))}; ${cell(criterion.source)}`,
        )
        .join('\n'),
    ),
    `${manifest.viewers} viewers, ${formatClock(manifest.end?.elapsedMs ?? 0)} of ${formatClock(manifest.scenario.fullDurationMs)}, seed ${manifest.seed}, run \`${manifest.runId}\`, exit code ${verdict.exitCode}.`,
  ].join('\n\n')}\n`;
}

function table(judgements: readonly Judgement[]): string {
  return [
    '| | criterion | measured | limit | worst stretch | result |',
    '|---|---|--:|--:|---|---|',
    ...judgements.map(row),
  ].join('\n');
}

function folded(title: string, text: string): string {
  return `<details><summary>${title}</summary>\n\n${text}\n\n</details>`;
}

function honesty({ name, tone, text }: HonestyRow): string {
  return `- ${HONESTY_MARKS[tone]} **${cell(name)}** ${cell(text)}`;
}

function row(judgement: Judgement): string {
  const { criterion, outcome, value, worst } = judgement;
  const window = worst === null ? '' : `${formatValue(worst.value, criterion.unit)} at ${formatClock(worst.fromMs)}`;
  const cells = [
    MARKS[outcome],
    criterion.isMandatory ? criterion.title : `${criterion.title} *(advisory)*`,
    value === null ? '–' : formatValue(value, criterion.unit),
    formatLimit(judgement),
    window,
    outcomeSentence(judgement),
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

function gate({ judgements }: RunVerdict): string {
  const known = gateBoard(judgements).filter(({ outcome }) => outcome !== null);
  if (known.length === 0) return 'No line of the readiness gate was judged.';
  return `Readiness gate: ${known.map(({ line, outcome }) => `${outcome === null ? '' : MARKS[outcome]} ${line.id}`).join(' ')}`;
}

function cell(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
}
