import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { CALIBRATION_FOLDER, machineKey, storeCalibration } from '../calibration/calibration-store.ts';
import { calibrateProtocol, type MeasuredStep } from '../calibration/calibrator.ts';
import { CAPACITY_PERCENT_MAX, type ProtocolCapacity } from '../calibration/capacity.ts';
import { takeFingerprint } from '../run-folder/fingerprint.ts';
import { VIDEO_ABILITIES, type VideoAbility } from '../verdict/criterion.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';

const NAMES: Readonly<Record<VideoAbility, string>> = { flv: 'HTTP-FLV', hls: 'HLS', llhls: 'LL-HLS' };

/** `calibrate`: how many viewers one core of this machine can hold, against a server that costs nothing. */
export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description('find out how many viewers a core of this machine can measure, and keep it for later runs')
    .addOption(new Option('--protocol <name>', 'one way of watching only').choices([...VIDEO_ABILITIES]))
    .addHelpText('after', `\nKept in ${CALIBRATION_FOLDER}, one file per machine and version of the lab.`)
    .action(async ({ protocol }: { protocol?: VideoAbility }) => {
      process.exitCode = await calibrate(protocol === undefined ? VIDEO_ABILITIES : [protocol]);
    });
}

async function calibrate(protocols: readonly VideoAbility[]): Promise<number> {
  const fingerprint = takeFingerprint();
  const machine = machineKey(fingerprint);
  const cores = availableParallelism();
  if (cores < 2) console.log('one core only: viewers and null server share it, so the figures are too low');
  const capacities: Partial<Record<VideoAbility, ProtocolCapacity>> = {};
  for (const protocol of protocols) {
    const capacity = await calibrateProtocol(protocol, (step) => console.log(stepLine(protocol, step)));
    capacities[protocol] = capacity;
    console.log(capacityLine(protocol, capacity));
  }
  const calibration = { version: 1, machine, lab: fingerprint.lab, atWallMs: Date.now(), cores, capacities } as const;
  console.log(`kept in ${await storeCalibration(calibration)}`);
  console.log(`runs may need ${CAPACITY_PERCENT_MAX} % of it on each of the cores they use (${cores} here)`);
  const isKnown = Object.values(capacities).every(({ viewersPerCore }) => viewersPerCore > 0);
  return isKnown ? EXIT_CODES.passed : EXIT_CODES.invalid;
}

function stepLine(protocol: VideoAbility, step: MeasuredStep): string {
  const end = step.breaches.length === 0 ? 'holds' : `too many: ${step.breaches.join(', ')}`;
  const server = step.isServerAhead ? '' : '; the null server is not ahead any more';
  return (
    `  ${NAMES[protocol]} ${step.viewers} viewers: CPU ${step.cpuPercent.toFixed(0)} %, timers late by ` +
    `${step.timerLatenessP99Ms.toFixed(1)} ms p99, ${step.mbitPerSecond.toFixed(0)} Mbit/s: ${end}${server}`
  );
}

function capacityLine(
  protocol: VideoAbility,
  { viewersPerCore, isLowerBound, limitedBy, floorMs }: ProtocolCapacity,
): string {
  const bound = isLowerBound ? 'at least ' : '';
  const reason = limitedBy.length === 0 ? '' : `, ended by: ${limitedBy.join(', ')}`;
  const ttfb =
    floorMs.timeToFirstByteP50 === null ? '' : `; first byte after ${floorMs.timeToFirstByteP50.toFixed(1)} ms p50`;
  return `${NAMES[protocol]}: ${bound}${viewersPerCore} viewers per core${reason}${ttfb}`;
}
