/** Calibrations on disk: one file per machine and version of the lab, in `lab/runs/.calibration/`. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fingerprint } from '../run-folder/manifest.ts';
import type { Calibration } from './capacity.ts';

/** Where they are kept. */
export const CALIBRATION_FOLDER = fileURLToPath(new URL('../../runs/.calibration/', import.meta.url));

const KEY_LENGTH = 16;

/** What a calibration holds for: another processor, kernel, Node or lab has another one. */
export function machineKey({ cpu, cores, memoryBytes, kernel, node, lab }: Fingerprint): string {
  const text = JSON.stringify([cpu, cores, memoryBytes, kernel, node, lab]);
  return createHash('sha256').update(text).digest('hex').slice(0, KEY_LENGTH);
}

/** Null without one, and for one that cannot be read. */
export async function readCalibration(machine: string, folder = CALIBRATION_FOLDER): Promise<Calibration | null> {
  try {
    const found = JSON.parse(await readFile(join(folder, `${machine}.json`), 'utf8')) as Calibration;
    return found.version === 1 && found.machine === machine ? found : null;
  } catch {
    return null; // none, or half of one: it is made anew
  }
}

/** Replaces it in one step; ways of watching that were not measured this time are kept. Returns the path. */
export async function storeCalibration(calibration: Calibration, folder = CALIBRATION_FOLDER): Promise<string> {
  await mkdir(folder, { recursive: true });
  const known = await readCalibration(calibration.machine, folder);
  const whole = { ...calibration, capacities: { ...known?.capacities, ...calibration.capacities } };
  const path = join(folder, `${calibration.machine}.json`);
  await writeFile(`${path}.tmp`, `${JSON.stringify(whole, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
  return path;
}
