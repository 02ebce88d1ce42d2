/** The report: one self-contained page, a pure function of the run folder. No script, no request, light and dark. */
import { formatClock } from '../engine/duration.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import { capacityOfRun, type RunVerdict } from '../run-folder/run-verdict.ts';
import { alertTable } from './alert-table.ts';
import { type Chart, chartFigure, escapeText } from './chart.ts';
import { criteriaSection } from './criteria-section.ts';
import { detailsSection } from './details-section.ts';
import { faultTable } from './fault-table.ts';
import { gateSection } from './gate-section.ts';
import { honestySection, phaseSentence } from './honesty-section.ts';
import { type Figure, keyFigures } from './key-figures.ts';
import { PAGE_STYLE } from './page-style.ts';
import { resourceCharts } from './resource-charts.ts';
import { runCharts } from './run-charts.ts';
import { headline } from './sentences.ts';

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
  const charts = runCharts(run);
  const resources = resourceCharts(run);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title><style>${PAGE_STYLE}</style></head><body><main>
${header(run, verdict)}
${figures(keyFigures(run))}
${gateSection(verdict)}
${criteriaSection(verdict.judgements)}
${faultTable(run)}
<h2 id="run">The run</h2>
<p class="soft">${escapeText(phaseSentence(run))}. Shaded: seconds in which the generator was too busy.</p>
${chartGrids(charts)}
${resources.length === 0 ? '' : `<h2 id="resources">The platform's machines</h2><div class="charts">${resources.map((chart, index) => chartFigure(chart, charts.length + index)).join('\n')}</div>`}
${alertTable(run)}
${honestySection(run, verdict)}
${detailsSection(run)}
<footer class="soft">Run ${escapeText(manifest.runId)}, lab ${escapeText(manifest.fingerprint.lab)}. This page is made of the run folder alone: <code>lab report</code> makes the same bytes again.</footer>
</main></body></html>
`;
}

/** Charts that only explain others are folded away. */
function chartGrids(charts: readonly Chart[]): string {
  const drawn = charts.map((chart, index) => ({
    isDetail: chart.isDetail === true,
    figure: chartFigure(chart, index),
  }));
  const grid = (isDetail: boolean): readonly string[] =>
    drawn.filter((one) => one.isDetail === isDetail && one.figure !== '').map(({ figure }) => figure);
  const details = grid(true);
  const more =
    details.length === 0
      ? ''
      : `<details class="plain"><summary>More charts <span class="soft">${details.length}</span></summary><div class="charts">${details.join('\n')}</div></details>`;
  return `<div class="charts">${grid(false).join('\n')}</div>${more}`;
}

function figures(all: readonly Figure[]): string {
  const cards = all.map(
    ({ label, value, from }) =>
      `<div class="figure" title="${escapeText(from)}"><b>${escapeText(value)}</b><span>${escapeText(label)}</span></div>`,
  );
  const rows = all.map(
    ({ label, from }) => `<tr><td>${escapeText(label)}</td><td><code>${escapeText(from)}</code></td></tr>`,
  );
  return `<div class="figures">${cards.join('')}</div>
<details class="plain soft"><summary>Where these figures are</summary><div class="scroll"><table>${rows.join('')}</table></div></details>`;
}

function header(run: RunData, verdict: RunVerdict): string {
  const { manifest } = run;
  const { title, text } = headline(verdict, manifest);
  const when = new Date(manifest.startedAtWallMs).toISOString().slice(0, 16).replace('T', ' ');
  const stamps = verdict.stamps.map((stamp) => `<span class="stamp">${escapeText(stamp)}</span>`).join('');
  const capacity = capacityOfRun(run, verdict).sentences.map(
    (sentence) => `<p class="capacity">${escapeText(sentence)}</p>`,
  );
  return `<h1>${escapeText(manifest.scenario.name)} <span>${escapeText(manifest.target.url)} · ${escapeText(manifest.target.subject)}</span></h1>
<p class="soft">${escapeText(manifest.scenario.purpose)} ${when} UTC, ${formatClock(manifest.end?.elapsedMs ?? 0)} of ${formatClock(manifest.scenario.fullDurationMs)}, ${manifest.viewers} viewers.</p>
<div class="verdict ${TONES[verdict.outcome]}"><strong>${escapeText(title)}</strong>${escapeText(text)}${capacity.join('')}<div>${stamps}</div></div>`;
}
