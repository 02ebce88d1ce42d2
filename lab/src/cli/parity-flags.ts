/** Where `parity`, and `run --parity`, read the settings of an environment. */
import { readFile } from 'node:fs/promises';
import Table from 'cli-table3';
import { type Command, InvalidArgumentError } from 'commander';
import { compareParity, type ParityRow, parityExitCode } from '../parity/compare-parity.ts';
import { type ParityReference, ParityReferenceError, parseReference } from '../parity/parity-reference.ts';
import { type ParitySources, readEnvironment } from '../parity/read-environment.ts';
import type { Manifest } from '../run-folder/manifest.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';

/** Places, as the user named them. */
export type ParityFlags = {
  readonly parity?: string;
  readonly nginxConf?: string;
  readonly srsConf?: string;
  readonly srsApi?: URL;
  readonly parityPostgres?: URL;
  readonly parityRedis?: URL;
};

/** The environment differs from the reference: exit code 5. */
export class ParityMismatchError extends Error {
  override readonly name = 'ParityMismatchError';
}

/** Adds the places. */
export function addParitySources(command: Command): Command {
  return command
    .option('--nginx-conf <place>', 'nginx.conf of the platform, a path or URL')
    .option('--srs-conf <place>', 'srs.conf of the platform, a path or URL')
    .option('--srs-api <url>', "SRS's API, e.g. http://127.0.0.1:1985", url)
    .option('--parity-postgres <url>', 'PostgreSQL of the platform: its version and settings', url)
    .option('--parity-redis <url>', 'Redis of the platform: its version and memory', url);
}

/** Adds `--parity FILE` and the places to `run`. */
export function addParityFlags(command: Command): Command {
  return addParitySources(
    command.option('--parity <file>', 'hold the environment against this reference first; a difference stops the run'),
  );
}

/** Throws {@link ParityReferenceError}, also for a file that cannot be read. */
export async function readReference(path: string): Promise<ParityReference> {
  try {
    return parseReference(await readFile(path, 'utf8'));
  } catch (error) {
    throw new ParityReferenceError(`${path} is no reference: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
}

/** Reads, compares and prints. */
export async function holdAgainst(reference: ParityReference, flags: ParityFlags, target?: URL): Promise<ParityRow[]> {
  const { settings, notes } = await readEnvironment(sourcesOf(flags, reference, target));
  const rows = compareParity(reference, settings);
  console.log(parityTable(reference.name, rows));
  for (const note of notes) console.log(note);
  return rows;
}

/** Where to look: what was named, and the network that the reference wants. */
export function sourcesOf(flags: ParityFlags, reference: ParityReference | null, target?: URL): ParitySources {
  const network = reference?.demands['docker.network']?.value;
  return {
    ...(target === undefined ? {} : { target }),
    ...(flags.nginxConf === undefined ? {} : { nginxConf: flags.nginxConf }),
    ...(flags.srsConf === undefined ? {} : { srsConf: flags.srsConf }),
    ...(flags.srsApi === undefined ? {} : { srsApi: flags.srsApi }),
    ...(flags.parityPostgres === undefined ? {} : { postgres: flags.parityPostgres }),
    ...(flags.parityRedis === undefined ? {} : { redis: flags.parityRedis }),
    ...(network === undefined ? {} : { dockerNetwork: String(network) }),
  };
}

/** Before a run. Null without `--parity`. Throws {@link ParityMismatchError} unless it is forced. */
export async function checkParity(
  flags: ParityFlags & { readonly force: boolean },
  target: URL,
): Promise<NonNullable<Manifest['parity']> | null> {
  if (flags.parity === undefined) return null;
  const reference = await readReference(flags.parity);
  const rows = await holdAgainst(reference, flags, target);
  const named = (outcome: ParityRow['outcome']): string[] =>
    rows.filter((row) => row.outcome === outcome && !row.demand.isAdvisory).map(({ setting }) => setting);
  const mismatches = named('mismatch');
  if (parityExitCode(rows) === EXIT_CODES.parity && !flags.force) {
    throw new ParityMismatchError(
      `the environment differs from ${reference.name} in ${mismatches.join(', ')}: set it right, write the difference ` +
        'down as `delta:`, or --force a run that is stamped parity-mismatch',
    );
  }
  return { reference: reference.name, mismatches, unknown: named('unknown') };
}

function parityTable(name: string, rows: readonly ParityRow[]): string {
  const table = new Table({
    head: ['setting', 'wanted', 'found', 'result'],
    style: { head: [], border: [], compact: true },
  });
  for (const { setting, demand, found, outcome } of rows) {
    const how = demand.match === 'equal' ? '' : `${demand.match} `;
    const why = outcome === 'accepted' ? `: ${demand.delta ?? ''}` : demand.isAdvisory ? ' (advisory)' : '';
    table.push([setting, `${how}${demand.value}`, found === null ? '–' : String(found), `${outcome}${why}`]);
  }
  return `parity with ${name}\n${table.toString()}`;
}

function url(text: string): URL {
  const parsed = URL.parse(text);
  if (parsed === null) throw new InvalidArgumentError('It must be a URL.');
  return parsed;
}
