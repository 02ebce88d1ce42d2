/** `escalation.html`: a pure function of `escalation.json`. */
import type { Escalation } from '../engine/run-escalation.ts';
import { escapeText } from './chart.ts';
import { escalationSentences, stepWords } from './escalation-sentences.ts';
import { PAGE_STYLE } from './page-style.ts';

/** One self-contained page; links lead to the reports of the steps beside it. */
export function escalationPage(escalation: Escalation, title: string): string {
  const [first = '', ...others] = escalationSentences(escalation);
  const rows = escalation.steps.map((step) => {
    const [viewers = '', ...words] = stepWords(step);
    const name = step.folder === null ? viewers : `<a href="${encodeURI(step.folder)}/report.html">${viewers}</a>`;
    return `<tr><td>${name}</td>${words.map((word) => `<td>${escapeText(word)}</td>`).join('')}</tr>`;
  });
  const tone = escalation.exitCode === 0 ? 'good' : 'bad';
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeText(title)}</title><style>${PAGE_STYLE}</style></head><body><main><h1>${escapeText(title)}</h1>
<div class="verdict ${tone}"><strong>${escapeText(first)}</strong>${others.map((one) => `<p>${escapeText(one)}</p>`).join('')}</div>
<h2>Steps</h2><div class="scroll"><table><thead><tr><th>viewers</th><th>why</th><th>result</th><th>pictures shown per second of watching</th><th>broken</th></tr></thead>
<tbody>${rows.join('')}</tbody></table></div></main></body></html>\n`;
}
