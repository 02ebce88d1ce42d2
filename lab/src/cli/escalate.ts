/** `run escalation`: a search for the size at which a target breaks, step by step. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Table from 'cli-table3';
import { type Escalation, runEscalation, type StepResult } from '../engine/run-escalation.ts';
import type { EscalationPlan, Scenario } from '../engine/scenario.ts';
import { escalationPage } from '../report/escalation-page.ts';
import { escalationSentences, stepWords } from '../report/escalation-sentences.ts';
import { formatLimit } from '../report/sentences.ts';

/** What one step needs from the command. */
export type Escalating = {
  readonly scenario: Scenario & { readonly escalation: EscalationPlan };
  readonly folder: string;
  readonly stepMs: number;
  /** `--viewers`: all sizes shrink and grow with it. */
  readonly viewers: number | undefined;
  readonly subject: string;
  readonly runStep: (viewers: number, folder: string) => Promise<StepResult>;
};

/** Whether the scenario is a search. */
export function isEscalation(scenario: Scenario): scenario is Escalating['scenario'] {
  return scenario.escalation !== undefined;
}

/** Prints each step and the sum; returns the exit code. Throws PlanError, UnusableFolderError. */
export async function escalate({ scenario, folder, stepMs, viewers, subject, runStep }: Escalating): Promise<number> {
  const escalation = await runEscalation({
    plan: scaled(scenario.escalation, (viewers ?? scenario.viewers) / scenario.viewers),
    stepMs,
    folder,
    runStep,
    limitOf: formatLimit,
    onStep: (record, number) => {
      const [size, why, outcome, , broken] = stepWords(record);
      console.log(`step ${number}: ${size} viewers (${why}): ${outcome}${broken === '' ? '' : `, ${broken}`}\n`);
    },
  });
  const page = join(folder, 'escalation.html');
  await writeFile(page, escalationPage(escalation, `${scenario.name}: ${subject}`));
  console.log(describe(escalation, page));
  return escalation.exitCode;
}

function scaled(plan: EscalationPlan, factor: number): EscalationPlan {
  const size = (viewers: number): number => Math.max(1, Math.round(viewers * factor));
  return {
    ...plan,
    levels: [...new Set(plan.levels.map(size))],
    viewersMax: size(plan.viewersMax),
    goalViewers: size(plan.goalViewers),
  };
}

function describe(escalation: Escalation, page: string): string {
  const table = new Table({
    head: ['viewers', 'why', 'result', 'shown/s', 'broken'],
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
    colWidths: [9, 12, 14, 10, 60],
    wordWrap: true,
  });
  for (const step of escalation.steps) table.push(stepWords(step));
  return [table.toString(), ...escalationSentences(escalation), `summary: ${page}`].join('\n');
}
