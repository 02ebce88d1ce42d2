/**
 * Steering a run while it goes on: lines added to the file `steer` in its folder, `+20 viewers` or `-5 viewers`. A file needs no
 * port and no terminal, anything can write it, and it stays in the folder as a record.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../clients/actor.ts';
import { monotonicMs } from '../clock.ts';
import type { SteeringRecord } from '../run-folder/manifest.ts';
import type { Stage } from './stage.ts';

/** Name of the file in the run folder. */
export const STEER_FILE = 'steer';
const LOOK_EVERY_MS = 200;
/** More than this per look is read at the next one. */
const READ_BYTES_MAX = 4096;

/** A wish: so many users of a group more (above 0) or fewer. */
export type SteerWish = { readonly group: string; readonly by: number };

/** Reads `+20 viewers`; the group may be left out where there is one only. Null when it is none. */
export function parseSteerLine(line: string, groups: readonly string[]): SteerWish | null {
  const [, sign, digits, name] = /^([+-])(\d{1,6})(?:\s+(\S+))?$/.exec(line.trim()) ?? [];
  const group = name ?? (groups.length === 1 ? groups[0] : undefined);
  if (group === undefined || !groups.includes(group) || Number(digits) === 0) return null;
  return { group, by: sign === '-' ? -Number(digits) : Number(digits) };
}

/** Follows the file until the stage's signal aborts. Everything it did is an event, and handed to `onSteered`. */
export async function followSteering(
  folder: string,
  groups: readonly string[],
  stage: Stage,
  onSteered: (record: SteeringRecord) => void,
): Promise<void> {
  let offset = 0;
  do {
    const text = await readFrom(join(folder, STEER_FILE), offset);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    // A line without an end that fills the buffer is no wish: it is passed over.
    offset += whole === '' && text.length >= READ_BYTES_MAX ? READ_BYTES_MAX : Buffer.byteLength(whole);
    for (const line of whole.split('\n').filter((one) => one.trim() !== '')) {
      const atMs = Math.round(monotonicMs() - stage.startAtMs);
      const wish = parseSteerLine(line, groups);
      if (wish === null) stage.event('steering_refused', atMs, { line: line.slice(0, 80), groups: groups.join(',') });
      else {
        const applied = stage.steer(wish.group, wish.by);
        stage.event('steered', atMs, { group: wish.group, wanted: wish.by, applied });
        onSteered({ atMs, group: wish.group, wanted: wish.by, applied });
      }
    }
  } while (await pause(LOOK_EVERY_MS, stage.signal));
}

/** Empty text while there is no such file. */
async function readFrom(path: string, offset: number): Promise<string> {
  try {
    await using file = await open(path);
    const buffer = Buffer.alloc(READ_BYTES_MAX);
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES_MAX, offset);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return ''; // nobody steers
  }
}
