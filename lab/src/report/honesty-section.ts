/** Whether the run can be believed: the generator, what it can do, its canary, real browsers, clocks, parity. */
import { formatClock } from '../engine/duration.ts';
import { canaryOf } from '../run-folder/run-canary.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import { STAMP_REASONS } from '../run-folder/run-stamps.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import { compareSentinels } from '../sentinels/compare-sentinels.ts';
import { escapeText } from './chart.ts';
import { formatNumber, formatValue } from './sentences.ts';

/** One thing that could have lied, and what is known of it, in plain sentences. */
export type HonestyRow = {
  readonly name: string;
  readonly tone: 'good' | 'warn' | 'bad' | 'none';
  readonly text: string;
};

const NAMES = { flv: 'FLV', hls: 'HLS', llhls: 'LL-HLS' } as const;

/** One line for each thing that could have lied. */
export function honestySection(run: RunData, verdict: RunVerdict): string {
  const list = [...honestyRows(run, verdict), ...stamps(verdict)].map(
    ({ name, tone, text }) => `<li class="${tone}"><b>${escapeText(name)}</b><span>${escapeText(text)}</span></li>`,
  );
  return `<h2 id="honesty">Can this run be believed?</h2><ul class="honesty">${list.join('')}</ul>`;
}

/** What was not asked or not there has no row. Stamps are not among them: the verdict carries those. */
export function honestyRows(run: RunData, verdict: RunVerdict): HonestyRow[] {
  return [
    generator(run, verdict),
    calibration(run),
    ...canary(run),
    ...sentinels(run),
    clock(run),
    collection(run),
    parity(run),
  ].filter((row) => row !== null);
}

function generator({ manifest: { guard }, self }: RunData, { trust, invalidBecause }: RunVerdict): HonestyRow {
  const worst = (read: (one: RunData['self'][number]) => number | undefined): number =>
    self.reduce((most, one) => Math.max(most, read(one) ?? 0), 0);
  const figures = [
    `event-loop delay p99 at most ${formatValue(
      worst((one) => one.loopDelayP99Ms),
      'ms',
    )} (limit ${guard.loopDelayP99MsMax} ms)`,
    `worker CPU at most ${formatValue(
      worst((one) => one.workerCpuPercent),
      'percent',
    )} (limit ${guard.workerCpuPercentMax} %)`,
    `timers late by at most ${formatValue(
      worst((one) => one.timerLatenessP99Ms),
      'ms',
    )}`,
  ];
  const tainted = `${trust.taintedSeconds} of ${trust.totalSeconds} seconds tainted`;
  const tone = invalidBecause !== null ? 'bad' : trust.taintedSeconds > 0 ? 'warn' : 'good';
  return {
    name: 'Generator',
    tone,
    text: `${sentence(invalidBecause ?? tainted)} ${capitalised(figures.join(', '))}. "self" in series.jsonl.`,
  };
}

function calibration({ manifest: { calibration: record } }: RunData): HonestyRow | null {
  if (record === undefined) return null;
  const used =
    record.usedPercent === null
      ? ''
      : ` The plan needs ${formatValue(record.usedPercent, 'percent')} of it (limit ${record.limitPercent} %).`;
  const isOver = (record.usedPercent ?? 0) > record.limitPercent;
  const tone = isOver ? 'bad' : record.source === 'unknown' ? 'warn' : 'good';
  return { name: 'Calibration', tone, text: `${sentence(record.note)}${used}` };
}

function canary(run: RunData): HonestyRow[] {
  return canaryOf(run).map(({ protocol, canary: alone, crowd, suspicions, doubt, tier }) => {
    const name = `Canary, ${NAMES[protocol]}`;
    if (doubt !== null) return { name, tone: 'none', text: `Says nothing: ${doubt}.` };
    const pairs = [
      pair('first picture', crowd.startupP50Ms, alone.startupP50Ms, 'ms'),
      pair(`delay (${tier ?? 'no tier'})`, crowd.latencyP50Ms, alone.latencyP50Ms, 'ms'),
      pair('stalled', crowd.stalledPercent, alone.stalledPercent, 'percent'),
    ].flat();
    const end = suspicions.length === 0 ? 'The crowd fares as well as it.' : suspicions.map(sentence).join(' ');
    return {
      name,
      tone: suspicions.length === 0 ? 'good' : 'bad',
      text: `${end} Crowd / canary: ${pairs.join(', ')}. canary.jsonl.`,
    };
  });
}

function sentinels(run: RunData): HonestyRow[] {
  const comparison = compareSentinels(run.sentinels ?? [], run);
  if (comparison === null) return [];
  if (comparison.skippedBecause !== null) {
    return [{ name: 'Real browsers', tone: 'none', text: `Skipped: ${comparison.skippedBecause}.` }];
  }
  return [...new Set(comparison.pairs.map(({ protocol }) => protocol))].map((protocol) => {
    const pairs = comparison.pairs.filter((one) => one.protocol === protocol);
    const text = pairs.flatMap(({ figure, tier, unit, real, virtual }) =>
      pair(
        figure === 'latency' ? `delay (${tier ?? 'no tier'})` : figure === 'startup' ? 'first picture' : 'stalled',
        virtual,
        real,
        unit,
      ),
    );
    const count = pairs[0]?.sessions ?? 0;
    return {
      name: `Real browsers, ${NAMES[protocol]}`,
      tone: 'none',
      text: `${count} in Chromium. Virtual / real: ${text.join(', ')}. sentinels.jsonl.`,
    };
  });
}

function pair(name: string, first: number | null, second: number | null, unit: 'ms' | 'percent'): string[] {
  return first === null || second === null
    ? []
    : [`${name} ${formatValue(first, unit)} / ${formatValue(second, unit)}`];
}

function clock({ manifest }: RunData): HonestyRow {
  const { boundMs, note } = manifest.clock;
  return {
    name: 'Clocks',
    tone: boundMs === null ? 'warn' : 'good',
    text: `${sentence(note)} Error bound of delays: ${boundMs === null ? 'unknown' : formatValue(boundMs, 'ms')}.`,
  };
}

function collection({ manifest, samples }: RunData): HonestyRow | null {
  const record = manifest.collection;
  if (record === undefined) return null;
  const gaps = samples.filter((line) => 'error' in line).length;
  const absent = record.absent.length === 0 ? '' : ` ${record.absent.length} looked for and not there.`;
  return {
    name: 'Collectors',
    tone: gaps > 0 ? 'warn' : 'good',
    text: `${record.sources.length} sources every ${formatValue(record.everyMs, 'ms').replace('.00 s', ' s')}, ${formatNumber(samples.length)} lines, ${formatNumber(gaps)} without figures.${absent} samples.jsonl.`,
  };
}

function parity({ manifest }: RunData): HonestyRow | null {
  const facts = manifest.parity;
  if (facts === undefined) return null;
  const { reference, mismatches, unknown } = facts;
  const notKnown = unknown.length === 0 ? '' : ` Could not be read: ${unknown.join(', ')}.`;
  return mismatches.length === 0
    ? { name: 'Parity', tone: unknown.length === 0 ? 'good' : 'warn', text: `As ${reference} says.${notKnown}` }
    : { name: 'Parity', tone: 'bad', text: `Differs from ${reference}: ${mismatches.join('; ')}.${notKnown}` };
}

function stamps({ stamps: all }: RunVerdict): HonestyRow[] {
  return all.map((stamp) => ({
    name: capitalised(stamp),
    tone: 'warn',
    text: `${capitalised(STAMP_REASONS[stamp])}.`,
  }));
}

function sentence(text: string): string {
  const whole = capitalised(text.trim());
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Steady, warm-up, drain: where each lies. */
export function phaseSentence({ manifest }: RunData): string {
  return manifest.phases
    .map(({ name, fromMs, toMs }) => `${name} ${formatClock(fromMs)}–${formatClock(toMs)}`)
    .join(', ');
}
