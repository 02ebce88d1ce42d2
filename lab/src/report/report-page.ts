/** The report: one self-contained page, a pure function of the run folder. */
import { formatClock } from '../engine/duration.ts';
import { METRICS } from '../metrics/metric-catalogue.ts';
import { parseSeriesKey } from '../metrics/series-key.ts';
import { mergedTrend, totalOf } from '../run-folder/run-figures.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import type { Judgement } from '../verdict/judge.ts';
import { chartFigure, escapeText } from './chart.ts';
import { faultTable } from './fault-table.ts';
import { keyFigures } from './key-figures.ts';
import { PAGE_STYLE } from './page-style.ts';
import { runCharts } from './run-charts.ts';
import {
  evidenceNote,
  formatBytes,
  formatLimit,
  formatNumber,
  formatValue,
  headline,
  outcomeSentence,
} from './sentences.ts';

const MARKS: Readonly<Record<Judgement['outcome'], string>> = {
  pass: '✓',
  fail: '✗',
  inconclusive: '?',
  'not applicable': '–',
};
const TONES: Readonly<Record<RunVerdict['outcome'], string>> = {
  passed: 'good',
  failed: 'bad',
  invalid: 'bad',
  inconclusive: 'warn',
  interrupted: 'warn',
};

/** The page as HTML text. */
export function reportPage(run: RunData, verdict: RunVerdict): string {
  const { manifest } = run;
  const title = `${manifest.scenario.name}: ${verdict.outcome}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title><style>${PAGE_STYLE}</style></head><body><main>
${header(run, verdict)}
<div class="figures">${keyFigures(run)
    .map(({ label, value }) => `<div class="figure"><b>${escapeText(value)}</b><span>${escapeText(label)}</span></div>`)
    .join('')}</div>
<h2>Criteria</h2>
<p class="soft">Measured, limit, result. Open one to see what it means and what it rests on.</p>
<div class="criteria">${verdict.judgements.map(criterion).join('\n')}</div>
${faultTable(run)}
<h2>The run</h2>
<div class="charts">${runCharts(run).map(chartFigure).join('\n')}</div>
<h2>Details</h2>
${eventTable(run)}${metricTable(run)}${conditions(run, verdict)}
</main></body></html>
`;
}

function header({ manifest }: RunData, verdict: RunVerdict): string {
  const { title, text } = headline(verdict, manifest);
  const when = new Date(manifest.startedAtWallMs).toISOString().slice(0, 16).replace('T', ' ');
  const stamps = verdict.stamps.map((stamp) => `<span class="stamp">${escapeText(stamp)}</span>`).join('');
  return `<h1>${escapeText(manifest.scenario.name)} · ${escapeText(manifest.target.url)} · ${escapeText(manifest.target.subject)}</h1>
<p class="soft">${escapeText(manifest.scenario.purpose)} ${when} UTC, ${formatClock(manifest.end?.elapsedMs ?? 0)} of ${formatClock(manifest.scenario.fullDurationMs)}, ${manifest.viewers} viewers.</p>
<div class="verdict ${TONES[verdict.outcome]}"><strong>${escapeText(title)}</strong>${escapeText(text)}<div>${stamps}</div></div>`;
}

function criterion(judgement: Judgement): string {
  const { criterion: one, outcome, value, worst } = judgement;
  const advisory = one.isMandatory ? '' : '<span class="tag">advisory</span>';
  const window =
    worst === null
      ? ''
      : ` Worst stretch: ${formatValue(worst.value, one.unit)} at ${formatClock(worst.fromMs)}–${formatClock(worst.toMs)}.`;
  const during = one.during === 'steady' ? 'Judged while everybody was there.' : 'Judged over the whole run.';
  const more = [
    `${one.meaning} ${during}${window}`,
    `${formatNumber(judgement.samples)} ${SAMPLE_WORDS[one.measure.kind]}.`,
    evidenceNote(judgement),
    `Asked for by ${one.source}.`,
  ];
  return `<details class="criterion ${outcome.replace(' ', '-')}"${outcome === 'fail' ? ' open' : ''}><summary><span class="mark">${MARKS[outcome]}</span>
<b>${escapeText(one.title)}${advisory}</b><span class="value">${value === null ? '–' : escapeText(formatValue(value, one.unit))}</span>
<span class="limit">${escapeText(formatLimit(judgement))}</span><span class="result">${escapeText(outcomeSentence(judgement))}</span></summary>
<p>${escapeText(more.join(' '))}</p></details>`;
}

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
};

const EVENT_KINDS_MAX = 30;

function eventTable({ events }: RunData): string {
  const kinds = new Map<string, { count: number; firstMs: number; example: string }>();
  for (const { name, atMs, detail } of events) {
    const known = kinds.get(name) ?? { count: 0, firstMs: atMs, example: JSON.stringify(detail) };
    kinds.set(name, { ...known, count: known.count + 1, firstMs: Math.min(known.firstMs, atMs) });
  }
  if (kinds.size === 0)
    return '<details><summary>Events: none</summary><p>Nothing worth naming happened.</p></details>';
  const rows = [...kinds]
    .sort(([, a], [, b]) => b.count - a.count)
    .slice(0, EVENT_KINDS_MAX)
    .map(
      ([name, { count, firstMs, example }]) =>
        `<tr><td><code>${escapeText(name)}</code></td><td class="n">${formatNumber(count)}</td><td class="n">${formatClock(firstMs)}</td><td><code>${escapeText(example)}</code></td></tr>`,
    );
  return `<details><summary>Events: ${formatNumber(events.length)} of ${kinds.size} kinds</summary><div class="scroll"><table><tr><th>event</th><th class="n">count</th><th class="n">first at</th><th>example</th></tr>${rows.join('')}</table></div><p class="soft">Each one is a line in events.jsonl.</p></details>`;
}

function metricTable(run: RunData): string {
  const recorded = new Set(
    run.slices.flatMap(({ data }) =>
      [...Object.keys(data.trends), ...Object.keys(data.counters)].map((key) => parseSeriesKey(key).metric),
    ),
  );
  const rows = Object.entries(METRICS)
    .filter(([name]) => recorded.has(name))
    .map(([name, { meaning }]) => {
      const trend = mergedTrend(run, name);
      const value =
        trend === null
          ? `${formatNumber(totalOf(run, name) ?? 0)}`
          : [50, 95, 99].map((at) => `p${at} ${formatValue(trend.percentileMs(at), 'ms')}`).join(', ') +
            `, max ${formatValue(trend.maxMs, 'ms')} (${formatNumber(trend.count)})`;
      return `<tr><td><code>${escapeText(name)}</code></td><td>${escapeText(value)}</td><td>${escapeText(meaning)}</td></tr>`;
    });
  return `<details><summary>All metrics of the whole run</summary><div class="scroll"><table><tr><th>metric</th><th>value</th><th>meaning</th></tr>${rows.join('')}</table></div></details>`;
}

function conditions({ manifest, self }: RunData, verdict: RunVerdict): string {
  const { fingerprint, guard, clock } = manifest;
  const worst = (read: (one: (typeof self)[number]) => number): number => Math.max(0, ...self.map(read));
  const rows: readonly (readonly [string, string])[] = [
    ['Run', `${manifest.runId}, seed ${manifest.seed}, ${manifest.workers} worker threads`],
    [
      'Groups',
      [
        ...Object.entries(manifest.groups).map(
          ([name, { vus, executor, actor }]) => `${name}: ${vus} × ${actor} (${executor})`,
        ),
        ...manifest.skippedGroups.map((name) => `skipped: ${name}`),
      ].join(', '),
    ],
    ['Player profile', manifest.playerProfiles.join(', ') || 'none'],
    [
      'Phases',
      manifest.phases.map(({ name, fromMs, toMs }) => `${name} ${formatClock(fromMs)}–${formatClock(toMs)}`).join(', '),
    ],
    ['Clock', clock.note],
    [
      'Generator',
      `event-loop delay p99 at most ${formatValue(
        worst((one) => one.loopDelayP99Ms),
        'ms',
      )} (limit ${guard.loopDelayP99MsMax} ms), worker CPU at most ${formatValue(
        worst((one) => one.workerCpuPercent),
        'percent',
      )} (limit ${guard.workerCpuPercentMax} %), timers late by at most ${formatValue(
        worst((one) => one.timerLatenessP99Ms),
        'ms',
      )}; ${verdict.trust.taintedSeconds} of ${verdict.trust.totalSeconds} seconds tainted`,
    ],
    [
      'Machine',
      `${fingerprint.cpu}, ${fingerprint.cores} cores, ${formatBytes(fingerprint.memoryBytes)}, ${fingerprint.platform} ${fingerprint.kernel}, Node ${fingerprint.node}, lab ${fingerprint.lab}, load ${fingerprint.loadAverage.toFixed(2)} at start`,
    ],
  ];
  const body = rows.map(([name, text]) => `<tr><th>${name}</th><td>${escapeText(text)}</td></tr>`).join('');
  return `<details open><summary>Conditions of this run</summary><div class="scroll"><table>${body}</table></div></details>`;
}
