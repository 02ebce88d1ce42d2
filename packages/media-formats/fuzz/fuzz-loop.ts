/** The loop: damage, run, judge. Keeps inputs whose outcome is new, so that damage builds on damage. */
import { FormatError } from '../src/index.ts';
import { mutate } from './mutate.ts';
import { RandomSource } from './random-source.ts';

/**
 * One parser under fire. `run` returns a short text that tells outcomes apart (never payload); it may throw FormatError
 * and nothing else. It throws Error itself when an invariant does not hold.
 */
export type FuzzTarget = Readonly<{
  name: string;
  seeds: readonly Uint8Array[];
  run: (input: Uint8Array, random: RandomSource) => string;
}>;

/** What must not happen, and how to see it again: the same seed reaches the same iteration. */
export type FuzzFinding = Readonly<{
  target: string;
  seed: number;
  iteration: number;
  problem: string;
  input: Uint8Array;
}>;

/** When to stop, and what is too slow. */
export type FuzzOptions = Readonly<{
  seed: number;
  /** Called before each round of all targets with the number of rounds done; false stops. */
  goesOn: (rounds: number) => boolean;
  /** Longest time of one execution, of the processor. */
  executionMsMax: number;
  /** Called before each execution, so that a watchdog can tell where it hangs. */
  onExecution?: (target: string, iteration: number) => void;
}>;

/** The sum of a run. */
export type FuzzReport = Readonly<{
  executions: number;
  /** Outcomes told apart, over all targets. */
  outcomes: number;
  slowestMs: number;
  findings: readonly FuzzFinding[];
}>;

const CORPUS_MAX = 400;
const CORPUS_INPUT_BYTES_MAX = 32 * 1024;
const FINDINGS_MAX = 20;
const ITERATION_STEP = 0x9e_37_79_b9;

type Corpus = { readonly target: FuzzTarget; readonly inputs: Uint8Array[]; readonly outcomes: Set<string> };

/** Runs every target in turn until `goesOn` says no or there are 20 findings. */
export function fuzz(targets: readonly FuzzTarget[], options: FuzzOptions): FuzzReport {
  const corpora = targets.map((target): Corpus => ({ target, inputs: [...target.seeds], outcomes: new Set() }));
  const findings: FuzzFinding[] = [];
  let executions = 0;
  let slowestMs = 0;
  for (let rounds = 0; findings.length < FINDINGS_MAX && options.goesOn(rounds); rounds += 1) {
    for (const [index, corpus] of corpora.entries()) {
      const random = new RandomSource(options.seed + Math.imul(rounds * targets.length + index, ITERATION_STEP));
      const input = nextInput(corpus, random, rounds);
      options.onExecution?.(corpus.target.name, rounds);
      const result = execute(corpus.target, input, random);
      executions += 1;
      slowestMs = Math.max(slowestMs, result.tookMs);
      const problem = result.tookMs > options.executionMsMax ? `took ${Math.round(result.tookMs)} ms` : result.problem;
      if (problem !== null && !isKnown(findings, corpus.target.name, problem)) {
        findings.push({ target: corpus.target.name, seed: options.seed, iteration: rounds, problem, input });
      }
      keepIfNew(corpus, input, result.outcome);
    }
  }
  return { executions, outcomes: corpora.reduce((sum, { outcomes }) => sum + outcomes.size, 0), slowestMs, findings };
}

/** A parser fails a thousand times for one reason: the place in the stack tells reasons apart. */
function isKnown(findings: readonly FuzzFinding[], target: string, problem: string): boolean {
  const place = placeOf(problem);
  return findings.some((finding) => finding.target === target && placeOf(finding.problem) === place);
}

function placeOf(problem: string): string {
  return /^\s*at .*$/m.exec(problem)?.[0] ?? problem.replaceAll(/\d+/g, '0');
}

/** The seeds as they are first, then damaged ones. */
function nextInput(corpus: Corpus, random: RandomSource, round: number): Uint8Array {
  const seed = corpus.target.seeds[round];
  if (seed !== undefined) return seed;
  return mutate(random.pick(corpus.inputs), random, random.pick(corpus.inputs));
}

function keepIfNew({ inputs, outcomes }: Corpus, input: Uint8Array, outcome: string): void {
  if (outcomes.has(outcome)) return;
  outcomes.add(outcome);
  if (inputs.length < CORPUS_MAX && input.length <= CORPUS_INPUT_BYTES_MAX) inputs.push(input);
}

function execute(
  target: FuzzTarget,
  input: Uint8Array,
  random: RandomSource,
): { outcome: string; problem: string | null; tookMs: number } {
  const before = input.slice();
  const start = process.threadCpuUsage();
  try {
    const outcome = target.run(input, random);
    const tookMs = cpuMsSince(start);
    const isUntouched = Buffer.compare(before, input) === 0;
    return { outcome, problem: isUntouched ? null : 'the input was written to', tookMs };
  } catch (error) {
    const tookMs = cpuMsSince(start);
    if (error instanceof FormatError) return { outcome: error.code, problem: misshapen(error), tookMs };
    return {
      outcome: 'crash',
      problem: error instanceof Error ? (error.stack ?? error.message) : String(error),
      tookMs,
    };
  }
}

/** Time of the processor, not of the clock: on a busy machine everything takes long. */
function cpuMsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1_000;
}

/** A FormatError goes into logs and metrics: its code is a stable word, its details are small. */
function misshapen({ code, details }: FormatError): string | null {
  if (!/^[a-z0-9]+\.[a-z0-9_]+$/.test(code)) return `the code ${code} is not a stable word`;
  const wrong = Object.entries(details).find(([, value]) => typeof value === 'string' && value.length > 64);
  return wrong === undefined ? null : `the detail ${wrong[0]} of ${code} is too long`;
}
