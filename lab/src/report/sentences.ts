/** Figures and judgements as people say them. Pure. */
import type { Manifest } from '../run-folder/manifest.ts';
import { STAMP_REASONS } from '../run-folder/run-stamps.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import type { Unit } from '../verdict/criterion.ts';
import type { Judgement } from '../verdict/judge.ts';

/** `1.24 s`, `85 ms`, `0.21 %`, `3`. */
export function formatValue(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return '–';
  if (unit === 'count') return formatNumber(value);
  if (unit === 'percent') return `${trim(value, value > 99 && value < 100 ? 2 : value < 10 ? 2 : 1)} %`;
  if (unit === 'megabytes') return formatBytes(value * 2 ** 20);
  if (unit === 'per-second') return `${trim(value, value < 100 ? 1 : 0)}/s`;
  if (unit === 'ms-per-minute') return `${trim(value, 2)} ms/min`;
  if (unit === 'megabytes-per-hour') return `${trim(value, 1)} MB/h`;
  if (Math.abs(value) >= 999.5) return `${(value / 1000).toFixed(2)} s`;
  return `${trim(value, value < 10 ? 1 : 0)} ms`;
}

/** `12,345`. */
export function formatNumber(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `12.3 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${trim(bytes / 1000 ** power, power === 0 ? 0 : 1)} ${units[power] ?? 'B'}`;
}

/** The limit as it is demanded: `≤ 3 s`. */
export function formatLimit({ criterion }: Pick<Judgement, 'criterion'>): string {
  const signs = { '<': '<', '<=': '≤', '>': '>', '>=': '≥' } as const;
  if (criterion.unit === 'count' && criterion.op === '<=' && criterion.limit === 0) return 'none';
  return `${signs[criterion.op]} ${formatValue(criterion.limit, criterion.unit).replace(/\.?0+ s$/, ' s')}`;
}

/** How it came out, in a few words: `passes by 59 %`. */
export function outcomeSentence({ outcome, marginPercent, reason, criterion, samples }: Judgement): string {
  if (outcome === 'inconclusive' || outcome === 'not applicable') return `${outcome}: ${reason}`;
  if (outcome === 'fail') {
    const by = marginPercent === null || marginPercent >= 0 ? '' : ` by ${trim(-marginPercent, 0)} %`;
    return reason === '' ? `fails${by}` : `fails: ${reason}`;
  }
  if (criterion.limit === 0) return `passes: none in ${formatNumber(samples)}`;
  return marginPercent === null ? 'passes' : `passes by ${trim(marginPercent, 0)} %`;
}

/** Rule of three: without a failure in n tries, the true rate is below 3/n with 95 % confidence. Empty text otherwise. */
export function evidenceNote({ criterion, value, samples }: Judgement): string {
  const { kind } = criterion.measure;
  const isClean =
    (kind === 'count' && value === 0) || (kind === 'ratio' && criterion.op.startsWith('>') && value === 100);
  if (!isClean || samples <= 0) return '';
  return `Without a failure in ${formatNumber(samples)}, the true rate is under ${trim(Math.min(100, 300 / samples), 300 / samples < 1 ? 2 : 0)} % (95 % confidence).`;
}

/** The verdict's headline and what it rests on. */
export function headline(verdict: RunVerdict, manifest: Manifest): { readonly title: string; readonly text: string } {
  const mandatory = verdict.judgements.filter(({ criterion }) => criterion.isMandatory);
  const count = (outcome: Judgement['outcome']): number => mandatory.filter((one) => one.outcome === outcome).length;
  const judged = `${count('pass')} of ${count('pass') + count('fail') + count('inconclusive')} mandatory criteria pass`;
  switch (verdict.outcome) {
    case 'passed':
      return verdict.isReady
        ? { title: 'READY', text: `${judged}, at ${manifest.viewers} viewers.` }
        : { title: 'Passed', text: `${judged}, at ${manifest.viewers} viewers. ${scopeSentence(verdict)}` };
    case 'failed': {
      const failed = mandatory.filter(({ outcome }) => outcome === 'fail').map(({ criterion }) => criterion.title);
      return { title: 'Failed', text: `${judged}. Broken: ${failed.join('; ')}.` };
    }
    case 'invalid':
      return {
        title: 'INVALID',
        text: `${capitalised(verdict.invalidBecause ?? 'the generator could not be trusted')}.`,
      };
    case 'inconclusive':
      return { title: 'Inconclusive', text: `${judged}; too little was measured to judge the rest.` };
    case 'interrupted':
      return { title: 'Interrupted', text: 'The run was stopped early; what was measured until then is below.' };
  }
}

/** Why a passed run is not called ready. */
function scopeSentence({ stamps }: RunVerdict): string {
  const reasons = stamps.map((stamp) => STAMP_REASONS[stamp]);
  return reasons.length === 0 ? '' : `It says nothing about capacity: ${listed(reasons)}.`;
}

/** `a, b and c`. */
function listed(parts: readonly string[]): string {
  return [parts.slice(0, -1).join(', '), parts.at(-1) ?? ''].filter((part) => part !== '').join(' and ');
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function trim(value: number, digits: number): string {
  return value
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}
