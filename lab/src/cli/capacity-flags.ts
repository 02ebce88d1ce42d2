/** `--calibration`, `--force` and `--canary` of `run`: is the plan within what this machine can measure? */
import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { machineKey, readCalibration } from '../calibration/calibration-store.ts';
import type { CapacityRecord } from '../calibration/capacity.ts';
import { type CalibrationMode, checkPlan } from '../calibration/check-plan.ts';
import { GUARD_DEFAULTS } from '../engine/guard.ts';
import { makePlan, type PlanOptions } from '../engine/plan.ts';
import { type RunOptions, withoutMissingPlanes } from '../engine/run-scenario.ts';
import type { Scenario } from '../engine/scenario.ts';
import { takeFingerprint } from '../run-folder/fingerprint.ts';
import type { TargetDescription } from '../target/target.ts';

/** What the user said. */
export type CapacityFlags = {
  readonly calibration: CalibrationMode;
  readonly force: boolean;
  readonly canary?: boolean;
  readonly workers?: number;
  /** What {@link checkCapacity} found. */
  readonly capacity?: CapacityRecord;
  /** What the check of the environment found. */
  readonly held?: NonNullable<RunOptions['parity']>;
};

/** The plan needs more than this machine can measure: exit code 2, for it is the plan that has to change. */
export class OverCapacityError extends Error {
  override readonly name = 'OverCapacityError';
}

/** Adds them to `run`. */
export function addCapacityFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--calibration <how>', 'what the machine can measure: as stored, by a quick try, or not asked')
        .choices(['auto', 'stored', 'quick', 'skip'])
        .default('auto'),
    )
    .option('--force', 'run a plan that this machine cannot be trusted with; it is stamped and never READY', false)
    .option('--canary', 'compare the crowd with one viewer in a process of its own (default: from 50 virtual users)')
    .option('--no-canary', 'do without it');
}

/** Throws {@link OverCapacityError}; else what the run's manifest keeps. */
export async function checkCapacity(
  whole: Scenario,
  target: TargetDescription,
  size: PlanOptions,
  flags: CapacityFlags,
): Promise<CapacityRecord> {
  const { scenario } = withoutMissingPlanes(whole, target);
  const plan = makePlan(scenario, size);
  const { record, refusal } = await checkPlan({
    plan,
    groups: scenario.groups,
    // Threads beyond the cores add nothing.
    workers: Math.min(flags.workers ?? availableParallelism(), availableParallelism(), Math.max(1, plan.vus.length)),
    guard: { ...GUARD_DEFAULTS, ...scenario.guard },
    mode: flags.calibration,
    stored: await readCalibration(machineKey(takeFingerprint())),
    isForced: flags.force,
    onProgress: (line) => console.log(line),
  });
  if (refusal !== null) throw new OverCapacityError(refusal);
  if (record.source !== 'needless') console.log(capacityLine(record));
  return record;
}

/** What of it the run is told. */
export function honestyOptions({
  capacity,
  canary,
  held,
}: CapacityFlags): Pick<RunOptions, 'calibration' | 'hasCanary' | 'parity'> {
  return {
    ...(capacity === undefined ? {} : { calibration: capacity }),
    ...(canary === undefined ? {} : { hasCanary: canary }),
    ...(held === undefined ? {} : { parity: held }),
  };
}

/** One line for people. */
export function capacityLine({ usedPercent, limitPercent, note }: CapacityRecord): string {
  if (usedPercent === null) return `calibration: ${note}`;
  return `calibration: the plan needs ${Math.round(usedPercent)} % of what this machine can measure (at most ${limitPercent} %), ${note}`;
}
