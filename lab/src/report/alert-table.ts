/** Alerts of the run, from `alert_fired` and `alert_cleared` in events.jsonl: how often, how long, how bad. */
import { formatClock } from '../engine/duration.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import { escapeText } from './chart.ts';
import { formatNumber } from './sentences.ts';

type Spell = {
  readonly rule: string;
  readonly title: string;
  readonly source: string;
  readonly severity: string;
  readonly firedMs: number;
  clearedMs: number | null;
  readonly value: string;
};

const ROWS_MAX = 60;

/** Empty text when nothing was collected: silence of alerts would say nothing. */
export function alertTable({ events, samples }: RunData): string {
  if (samples.length === 0) return '';
  const spells: Spell[] = [];
  const open = new Map<string, Spell>();
  for (const { name, atMs, detail } of events) {
    if (name !== 'alert_fired' && name !== 'alert_cleared') continue;
    const key = `${detail.rule} ${detail.source}`;
    const known = open.get(key);
    if (name === 'alert_cleared') {
      if (known !== undefined) known.clearedMs = atMs;
      open.delete(key);
      continue;
    }
    const text = (field: string): string => String(detail[field] ?? '');
    const spell: Spell = {
      rule: text('rule'),
      title: text('title'),
      source: text('source'),
      severity: text('severity'),
      firedMs: atMs,
      clearedMs: null,
      value: `${figure(detail.value)} (limit ${figure(detail.threshold)})`,
    };
    spells.push(spell);
    open.set(key, spell);
  }
  if (spells.length === 0) return '<h2>Alerts</h2><p>None fired.</p>';
  const rows = spells
    .slice(0, ROWS_MAX)
    .map(
      (spell) =>
        `<tr><td><span class="tag ${escapeText(spell.severity)}">${escapeText(spell.severity)}</span> ${escapeText(spell.title || spell.rule)}</td><td>${escapeText(spell.source)}</td><td class="n">${formatClock(spell.firedMs)}</td><td class="n">${spell.clearedMs === null ? 'to the end' : formatClock(spell.clearedMs)}</td><td>${escapeText(spell.value)}</td></tr>`,
    );
  const rest =
    spells.length > ROWS_MAX ? `<p class="soft">and ${spells.length - ROWS_MAX} more in events.jsonl</p>` : '';
  return `<h2>Alerts</h2><p class="soft">${spells.length} fired; thresholds of the strategy's section 3. alert_fired and alert_cleared in events.jsonl.</p>
<div class="scroll"><table><tr><th>alert</th><th>where</th><th class="n">fired</th><th class="n">cleared</th><th>value</th></tr>${rows.join('')}</table></div>${rest}`;
}

function figure(value: unknown): string {
  return typeof value === 'number' ? (Number.isInteger(value) ? formatNumber(value) : value.toFixed(2)) : '–';
}
