/**
 * `npm run check` (fast) and `npm test` (all): format, lint, types, dead code and unit tests; `all` adds the planes on
 * real sockets and PostgreSQL, then whole processes in a real browser. Every check counts; the last line is the total.
 * With CI=true a skipped test is a failure: what is missing must be installed, not passed over.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Outcome = { readonly name: string; readonly passed: number; readonly failed: number; readonly skipped: number };

const SUITES = { fast: ['static', 'unit'], all: ['static', 'unit', 'planes', 'planes-alone', 'e2e'] } as const;

const STATIC_CHECKS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['format and lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['lint with types', 'oxlint', '--type-aware', '--deny-warnings'],
  ['types', 'tsc', '-p', 'tsconfig.json'],
  ['types of the web app', 'tsc', '-p', 'apps/web'],
  ['dead code', 'knip', '--no-progress'],
];

const HELP = `usage: node scripts/verify.ts fast|all|static|unit|planes|planes-alone|e2e [vitest filters]

fast   format, lint, types, dead code, unit tests (npm run check)
all    the same, then the planes and e2e suites (npm test); planes-alone holds what measures time or memory`;

const [wanted = 'fast', ...filters] = process.argv.slice(2);
if (wanted === '--help' || !/^(fast|all|static|unit|planes|planes-alone|e2e)$/.test(wanted)) {
  console.log(HELP);
  process.exit(wanted === '--help' ? 0 : 2);
}

const suites: readonly string[] = wanted === 'fast' || wanted === 'all' ? SUITES[wanted] : [wanted];
const outcomes = suites.flatMap((suite) => (suite === 'static' ? STATIC_CHECKS.map(runStatic) : [runVitest(suite)]));
report(outcomes);

function runStatic([name, command, ...args]: (typeof STATIC_CHECKS)[number]): Outcome {
  const startedMs = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  const ok = status === 0;
  console.log(`${ok ? '✓' : '✗'} ${name} (${seconds(startedMs)} s)`);
  return { name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

function runVitest(project: string): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'showfloor-verify-'));
  const file = join(folder, 'report.json');
  try {
    const { status } = spawnSync(
      'vitest',
      ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...filters],
      { stdio: 'inherit' },
    );
    return { name: project, ...totals(file, status) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run that died before its report, or found no test, is a failure: no data is never green. */
function totals(file: string, status: number | null): Omit<Outcome, 'name'> {
  try {
    const found = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
    const passed = found.numPassedTests ?? 0;
    const failed = found.numFailedTests ?? 0;
    const skipped = (found.numPendingTests ?? 0) + (found.numTodoTests ?? 0);
    const brokenOutsideTests = status !== 0 && failed === 0 ? 1 : 0;
    return { passed, failed: failed + brokenOutsideTests, skipped };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function report(all: readonly Outcome[]): void {
  const sum = (field: 'passed' | 'failed' | 'skipped'): number =>
    all.reduce((total, outcome) => total + outcome[field], 0);
  const skipsFail = process.env.CI === 'true';
  const failed = sum('failed') + (skipsFail ? sum('skipped') : 0);
  console.log('');
  for (const { name, passed, failed: broken, skipped } of all) {
    const skips = skipped === 0 ? '' : `, ${skipped} skipped${skipsFail ? ' (a failure in CI)' : ''}`;
    console.log(
      `${broken === 0 ? '✓' : '✗'} ${name}: ${passed} passed${broken === 0 ? '' : `, ${broken} failed`}${skips}`,
    );
  }
  console.log(`${sum('passed')} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(1);
}
