/** An escalation in plain sentences; the terminal and the page say the same. */

import type { StepReason } from '../engine/escalation.ts';
import type { Escalation, EscalationRecord } from '../engine/run-escalation.ts';

/** Further than this times the largest size nobody knows. */
const REACH = 2;

const REASONS: Readonly<Record<StepReason, string>> = {
  climb: 'next size',
  bisect: 'halving',
  repeat: 'knee again',
  again: 'once more',
};

/** Where it breaks and why, how much room there is, and what the figures may be used for. */
export function escalationSentences(escalation: Escalation): string[] {
  return [breaking(escalation), mover(escalation), margin(escalation), curve(escalation), caveat(escalation)].filter(
    (sentence) => sentence !== '',
  );
}

/** One line of the table of steps. */
export function stepWords({ viewers, reason, outcome, broken, note, throughput }: EscalationRecord): string[] {
  const why = broken.map(({ title }) => title).join('; ') || (note ?? '');
  return [String(viewers), REASONS[reason], outcome, throughput === null ? '–' : throughput.toFixed(1), why];
}

function breaking({ end, heldAt, failedAt, brokenBy }: Escalation): string {
  const by = brokenBy.map(({ title, limit }) => `“${title}” (${limit})`).join(', ');
  switch (end) {
    case 'knee found':
      return `Holds ${heldAt} viewers and breaks at ${failedAt}, by ${by}.`;
    case 'never held':
      return `Did not hold at any size: already ${failedAt} viewers break ${by}.`;
    case 'held at the largest size':
      return `Holds ${heldAt} viewers, the largest size that was asked for; where it breaks is not known.`;
    case 'generator exhausted':
      return `Holds ${heldAt ?? 'no size that was run'}; beyond, the generator gave out, not the target: use another machine, or several.`;
    case 'inconclusive':
      return `Holds ${heldAt ?? 'no size that was run'}; the last step measured too little to say more.`;
    case 'interrupted':
      return `Interrupted. So far it holds ${heldAt ?? 'no size'}${failedAt === null ? '' : ` and breaks at ${failedAt}`}.`;
  }
}

function mover({ firstMover }: Escalation): string {
  if (firstMover === null) return 'Which resource gave out first is not known: nothing was collected.';
  const { resource, source, value, threshold, share, atViewers } = firstMover;
  const figure = `${resource} (${source}: ${round(value)}, threshold ${round(threshold)})`;
  if (atViewers !== null) return `What moved first: ${figure}, from ${atViewers} viewers on.`;
  return `No resource passed its threshold; nearest is ${figure}, at ${Math.round(100 * share)} % of it.`;
}

function margin({ marginPercent, goalViewers }: Escalation): string {
  if (marginPercent === null) return '';
  const amount = Math.abs(Math.round(marginPercent));
  return marginPercent >= 0
    ? `That is ${amount} % above the ${goalViewers} viewers it is meant for.`
    : `That is ${amount} % short of the ${goalViewers} viewers it is meant for.`;
}

function curve({ scalability, steps }: Escalation): string {
  if (scalability === null) return 'No scalability curve: fewer than six sizes, or they do not lie on one.';
  const { peakLoad, residualPercentMax } = scalability;
  const largest = Math.max(...steps.map(({ viewers }) => viewers));
  const peak = peakLoad === null ? 'no peak' : `a peak at about ${Math.round(peakLoad)} viewers`;
  const hint =
    peakLoad !== null && peakLoad > REACH * largest ? ', far beyond what was run: a hint, no measurement' : '';
  return `The scalability curve (residuals up to ${round(residualPercentMax)} %) has ${peak}${hint}.`;
}

function caveat({ stamps }: Escalation): string {
  return stamps.includes('co-located')
    ? 'Generator and target share a machine: they compete, so this is no statement about capacity.'
    : '';
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
