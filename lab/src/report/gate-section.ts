/** The strategy's readiness gate on the page: which of its lines this run is evidence for. */

import type { RunVerdict } from '../run-folder/run-verdict.ts';
import { type GateState, gateBoard } from '../verdict/gate-board.ts';
import { escapeText } from './chart.ts';
import { MARKS } from './criteria-section.ts';

/** Empty text when no criterion of the run is evidence for a line. */
export function gateSection({ judgements, outcome: result }: Pick<RunVerdict, 'judgements' | 'outcome'>): string {
  const board = gateBoard(judgements);
  if (board.every(({ outcome }) => outcome === null)) return '';
  const known = board.filter(({ outcome }) => outcome !== null && outcome !== 'not applicable');
  const others = board.filter((line) => !known.includes(line));
  return `<h2 id="gate">Readiness gate</h2>
<p class="soft">The ten mandatory criteria and seven advisories that a platform has to meet before it goes live. One run is evidence for some of them; the others need their own.${result === 'invalid' ? ' This run is INVALID: nothing below counts as evidence.' : ''}</p>
<div class="gate">${known.map(tile).join('')}</div>
${others.length === 0 ? '' : `<details class="plain soft"><summary>${others.length} that this run says nothing about</summary><div class="gate">${others.map(tile).join('')}</div></details>`}`;
}

function tile({ line, outcome, criteria }: GateState): string {
  const state = outcome === null ? 'absent' : outcome.replace(' ', '-');
  const words = outcome ?? (line.test === 'all' ? 'not part of this run' : `needs the ${line.test} run`);
  const inner = `<b><span class="mark">${outcome === null ? '·' : MARKS[outcome]}</span> ${line.id}</b><span>${escapeText(line.title)}</span><em>${escapeText(words)}</em>`;
  const first = criteria[0];
  const attributes = `class="tile ${state}" title="${escapeText(line.source)}"`;
  return first === undefined
    ? `<div ${attributes}>${inner}</div>`
    : `<a ${attributes} href="#${escapeText(first)}">${inner}</a>`;
}
