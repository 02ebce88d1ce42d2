/** The faults of a run and how they were got over, as a table of the report. */
import { formatClock } from '../engine/duration.ts';
import { type RecoveryFigures, recoveryFigures } from '../faults/recovery-figures.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import { escapeText } from './chart.ts';
import { formatNumber, formatValue } from './sentences.ts';

const HEADS = [
  'fault',
  'injected',
  'seen at work',
  'healed',
  'back after',
  'viewers',
  'lost the picture',
  'T50',
  'T95',
  'never back',
  'without picture',
  'storm peak',
];

/** Empty text for a run without faults. */
export function faultTable(run: RunData): string {
  const figures = recoveryFigures(run);
  if (figures.length === 0) return '';
  const head = HEADS.map((text) => `<th>${text}</th>`).join('');
  return `<h2>Faults</h2>
<p class="soft">T50 and T95: from the healing until half of the viewers, and 95 % of them, had a picture they had not seen before. Without picture: stalls and starts per viewer, until a minute after the healing. Storm peak: connections opened in the worst second.</p>
<div class="scroll"><table><tr>${head}</tr>${figures.map(row).join('')}</table></div>`;
}

function row(one: RecoveryFigures): string {
  const name = `<td><b>${escapeText(one.fault.name)}</b> <span class="soft">${escapeText(one.fault.fault.kind)} on ${escapeText(one.fault.on.join(', '))}</span></td>`;
  if (one.skippedBecause !== null) {
    return `<tr>${name}<td colspan="${HEADS.length - 1}">skipped: ${escapeText(one.skippedBecause)}</td></tr>`;
  }
  if (one.injectedMs === null) {
    return `<tr>${name}<td colspan="${HEADS.length - 1}">not made: ${escapeText(one.verifiedBy || 'the run was over before')}</td></tr>`;
  }
  const clock = (ms: number | null): string => (ms === null ? 'no' : formatClock(ms));
  const time = (ms: number | null): string => (ms === null ? '–' : formatValue(ms, 'ms'));
  const cells = [
    clock(one.injectedMs),
    one.activeMs === null ? 'no' : `${clock(one.activeMs)}: ${one.verifiedBy}`,
    clock(one.healedMs),
    time(one.outageMs),
    formatNumber(one.viewers),
    formatNumber(one.disturbed),
    time(one.t50Ms),
    time(one.t95Ms),
    formatNumber(one.lost),
    time(one.lostMsPerViewer),
    one.stormPeakPerSecond === null ? '–' : `${formatNumber(one.stormPeakPerSecond)}/s`,
  ];
  return `<tr>${name}${cells.map((text) => `<td>${escapeText(text)}</td>`).join('')}</tr>`;
}
