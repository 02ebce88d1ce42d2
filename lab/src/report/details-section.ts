/** The folded part of the page: every event, every metric of the run, and the conditions it was made in. */
import { formatClock } from '../engine/duration.ts';
import { METRICS } from '../metrics/metric-catalogue.ts';
import { parseSeriesKey } from '../metrics/series-key.ts';
import { mergedTrend, totalOf } from '../run-folder/run-figures.ts';
import { EVENTS_PER_NAME_MAX, type RunData } from '../run-folder/run-reader.ts';
import { escapeText } from './chart.ts';
import { formatBytes, formatNumber, formatValue } from './sentences.ts';

/** Tables to look things up in. */
export function detailsSection(run: RunData): string {
  return `<h2 id="details">Details</h2>
${conditions(run)}${eventTable(run)}${metricTable(run)}`;
}

const EVENT_KINDS_MAX = 30;

function eventTable({ events, eventsLeftOut = 0 }: RunData): string {
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
  const left =
    eventsLeftOut === 0
      ? ''
      : ` ${formatNumber(eventsLeftOut)} more are there and not counted here: at most ${formatNumber(EVENTS_PER_NAME_MAX)} of a name are read.`;
  return `<details><summary>Events: ${formatNumber(events.length)} of ${kinds.size} kinds</summary><div class="scroll"><table><tr><th>event</th><th class="n">count</th><th class="n">first at</th><th>example</th></tr>${rows.join('')}</table></div><p class="soft">Each one is a line in events.jsonl.${left}</p></details>`;
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

function conditions({ manifest }: RunData): string {
  const { fingerprint } = manifest;
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
    ['Player profiles', manifest.playerProfiles.join(', ') || 'none'],
    [
      'Phases',
      manifest.phases.map(({ name, fromMs, toMs }) => `${name} ${formatClock(fromMs)}–${formatClock(toMs)}`).join(', '),
    ],
    [
      'Machine',
      `${fingerprint.cpu}, ${fingerprint.cores} cores, ${formatBytes(fingerprint.memoryBytes)}, ${fingerprint.platform} ${fingerprint.kernel}, Node ${fingerprint.node}, lab ${fingerprint.lab}, load ${fingerprint.loadAverage.toFixed(2)} at start`,
    ],
  ];
  const body = rows.map(([name, text]) => `<tr><th>${name}</th><td>${escapeText(text)}</td></tr>`).join('');
  return `<details open><summary>Conditions of this run</summary><div class="scroll"><table>${body}</table></div></details>`;
}
