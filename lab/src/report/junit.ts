/** JUnit XML: one test case per criterion, for CI systems. A broken advisory is a skip; what was not decided is an error. */
import type { RunData } from '../run-folder/run-reader.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import type { Judgement } from '../verdict/judge.ts';
import { formatLimit, formatValue, headline, outcomeSentence } from './sentences.ts';
import { traceSentence } from './trace.ts';

type Case = { readonly kind: 'passed' | 'failure' | 'error' | 'skipped'; readonly message: string };

/** The whole file. */
export function junitXml(run: RunData, verdict: RunVerdict): string {
  const { manifest } = run;
  const cases = verdict.judgements.map((judgement) => ({ judgement, result: caseOf(judgement) }));
  const trust = trustCase(run, verdict);
  const count = (kind: Case['kind']): number =>
    [trust, ...cases.map(({ result }) => result)].filter((one) => one.kind === kind).length;
  const seconds = ((manifest.end?.elapsedMs ?? 0) / 1000).toFixed(3);
  const attributes = `name="${attribute(`lab ${manifest.scenario.name}`)}" tests="${cases.length + 1}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}" time="${seconds}"`;
  const properties = {
    target: manifest.target.url,
    runId: manifest.runId,
    seed: String(manifest.seed),
    viewers: String(manifest.viewers),
    outcome: verdict.outcome,
    exitCode: String(verdict.exitCode),
    stamps: verdict.stamps.join(' '),
  };
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${attributes}>
<testsuite ${attributes} timestamp="${new Date(manifest.startedAtWallMs).toISOString().slice(0, 19)}" hostname="${attribute(manifest.target.kind)}">
<properties>
${Object.entries(properties)
  .map(([name, value]) => `<property name="${name}" value="${attribute(value)}"/>`)
  .join('\n')}
</properties>
${testCase(`lab.${manifest.scenario.name}`, 'the run can be trusted', trust)}
${cases.map(({ judgement, result }) => testCase(`lab.${manifest.scenario.name}.${judgement.criterion.plane}`, `${judgement.criterion.title} [${judgement.criterion.id}]`, result, details(judgement))).join('\n')}
</testsuite>
</testsuites>
`;
}

function caseOf(judgement: Judgement): Case {
  const message = outcomeSentence(judgement);
  const { outcome, criterion } = judgement;
  if (outcome === 'pass') return { kind: 'passed', message };
  if (outcome === 'not applicable') return { kind: 'skipped', message };
  if (!criterion.isMandatory) return { kind: 'skipped', message: `advisory, to be looked at: ${message}` };
  return { kind: outcome === 'fail' ? 'failure' : 'error', message };
}

/** An interrupted or invalid run has no verdict, however well its criteria look; nor has one that judged nothing. */
function trustCase({ manifest }: RunData, verdict: RunVerdict): Case {
  const { title, text } = headline(verdict, manifest);
  const message = `${title}: ${text}`;
  const isTrusted = verdict.outcome === 'passed' || verdict.outcome === 'failed';
  return { kind: isTrusted ? 'passed' : 'error', message };
}

function details(judgement: Judgement): string {
  const { criterion, value, worst, samples } = judgement;
  const lines = [
    `measured ${value === null ? 'nothing' : formatValue(value, criterion.unit)}, limit ${formatLimit(judgement)}, samples ${Math.round(samples)}`,
    ...(worst === null
      ? []
      : [`worst stretch ${formatValue(worst.value, criterion.unit)} from second ${worst.fromMs / 1000}`]),
    `asked for by ${criterion.source}`,
    traceSentence(criterion.measure),
  ];
  return lines.join('\n');
}

function testCase(classname: string, name: string, { kind, message }: Case, body = ''): string {
  const open = `<testcase classname="${attribute(classname)}" name="${attribute(name)}" time="0"`;
  const output = body === '' ? '' : `<system-out>${text(body)}</system-out>`;
  if (kind === 'passed') return output === '' ? `${open}/>` : `${open}>${output}</testcase>`;
  const type = kind === 'skipped' ? '' : ` type="${kind === 'failure' ? 'limit' : 'inconclusive'}"`;
  return `${open}><${kind} message="${attribute(message)}"${type}/>${output}</testcase>`;
}

function attribute(value: string): string {
  return text(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;');
}

/** XML 1.0 has no place for most control characters, escaped or not. */
function text(value: string): string {
  return value
    .split('')
    .filter((character) => character >= ' ' || character === '\n' || character === '\t')
    .join('')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
