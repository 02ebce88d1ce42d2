/** The criteria on the page: broken ones first, each with its room to the limit, its worst minute and where it comes from. */
import { formatClock } from '../engine/duration.ts';
import type { Judgement, Outcome } from '../verdict/judge.ts';
import { escapeText } from './chart.ts';
import { evidenceNote, formatLimit, formatNumber, formatValue, outcomeSentence } from './sentences.ts';
import { traceSentence } from './trace.ts';
import { byUrgency } from './urgency.ts';

/** One sign per outcome; it never stands alone, words are beside it. */
export const MARKS: Readonly<Record<Outcome, string>> = {
  pass: '✓',
  fail: '✗',
  inconclusive: '?',
  'not applicable': '–',
};

const SAMPLE_WORDS: Readonly<Record<Judgement['criterion']['measure']['kind'], string>> = {
  percentile: 'samples',
  mean: 'samples',
  ratio: 'in the denominator',
  count: 'tries',
  rate: 'counted',
  'per-hundred-seconds': 'ms of play',
  level: 'slices',
  drift: 'slices',
  self: 'seconds',
  sample: 'samples of the part with the fewest',
  'sample-return': 'samples on the shorter side',
  change: 'samples in the stretch with fewer',
};

/** All criteria: what is broken, not decided or close stands open, what held or does not apply is folded away. */
export function criteriaSection(judgements: readonly Judgement[]): string {
  const { broken, undecided, closest, held, notApplicable } = byUrgency(judgements);
  const parts = [
    group('Broken', broken),
    group('Not decided', undecided),
    group(held.length === 0 ? 'Held' : 'Held with the least room', closest),
    folded(closest.length === 0 ? 'Held' : 'Held with more room', held),
    folded('Not applicable here', notApplicable),
  ];
  return `<h2 id="criteria">Criteria</h2>
<p class="soft">Measured, limit, and how much of what is allowed was used. Open one to see what it means, its worst minute and where the figure is.</p>
${parts.join('\n')}`;
}

function group(name: string, inside: readonly Judgement[]): string {
  return inside.length === 0 ? '' : `<h3>${titleOf(name, inside)}</h3>${list(inside)}`;
}

function folded(name: string, inside: readonly Judgement[]): string {
  if (inside.length === 0) return '';
  return `<details class="plain"><summary>${titleOf(name, inside)}</summary>${list(inside)}</details>`;
}

function titleOf(name: string, inside: readonly Judgement[]): string {
  return `${name} <span class="soft">${inside.length}</span>`;
}

function list(inside: readonly Judgement[]): string {
  return `<div class="criteria">${inside.map(row).join('\n')}</div>`;
}

function row(judgement: Judgement): string {
  const { criterion, outcome, value } = judgement;
  const tags = [
    criterion.isMandatory ? '' : 'advisory',
    criterion.gate ?? '',
    judgement.isIndicative ? 'few samples' : '',
  ]
    .filter((tag) => tag !== '')
    .map((tag) => `<span class="tag">${escapeText(tag)}</span>`)
    .join('');
  return `<details class="criterion ${outcome.replace(' ', '-')}${criterion.isMandatory ? '' : ' advisory'}" id="${escapeText(criterion.id)}"${outcome === 'fail' ? ' open' : ''}><summary><span class="mark">${MARKS[outcome]}</span>
<b>${escapeText(criterion.title)}${tags}</b><span class="value">${value === null ? '–' : escapeText(formatValue(value, criterion.unit))}</span>
<span class="limit">${escapeText(formatLimit(judgement))}</span>${bar(judgement)}<span class="result">${escapeText(outcomeSentence(judgement))}</span></summary>
<p>${escapeText(more(judgement))}</p></details>`;
}

/** How much of what the limit allows was used. Full is the limit; what is over it is drawn in the colour of a failure. */
function bar({ marginPercent, outcome }: Judgement): string {
  if (marginPercent === null || (outcome !== 'pass' && outcome !== 'fail')) return '<span class="bar none"></span>';
  const used = Math.min(100, Math.max(0, 100 - marginPercent));
  const label = `${Math.round(100 - marginPercent)} % of what is allowed`;
  return `<span class="bar" role="img" aria-label="${label}" title="${label}"><i style="width:${used.toFixed(1)}%"></i></span>`;
}

function more(judgement: Judgement): string {
  const { criterion, samples, samplesNeeded, which } = judgement;
  const needs = samplesNeeded > 1 ? `; the limit needs ${formatNumber(samplesNeeded)}` : '';
  return [
    criterion.meaning,
    DURING[criterion.during],
    worstSentence(judgement),
    ...(which === null ? [] : [`Decided by ${which}.`]),
    `Rests on ${formatNumber(samples)} ${SAMPLE_WORDS[criterion.measure.kind]}${needs}.`,
    evidenceNote(judgement),
    `Figure: ${traceSentence(criterion.measure)}.`,
    `Asked for by ${criterion.source}.`,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

const DURING: Readonly<Record<Judgement['criterion']['during'], string>> = {
  run: 'Judged over the whole run.',
  'warm-up': 'Judged while everybody came.',
  steady: 'Judged while everybody was there.',
  drain: 'Judged while everybody left.',
};

function worstSentence({ criterion, worst }: Judgement): string {
  if (worst === null) return '';
  const at = `${formatClock(worst.fromMs)}–${formatClock(worst.toMs)}`;
  const weight = worst.isDecisive ? 'it decides too' : 'shown, not decisive';
  return `Worst stretch: ${formatValue(worst.value, criterion.unit)} at ${at} (${weight}).`;
}
