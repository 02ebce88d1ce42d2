import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { parityExitCode } from '../parity/compare-parity.ts';
import { ParityReferenceError, referenceText } from '../parity/parity-reference.ts';
import { readEnvironment } from '../parity/read-environment.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';
import { addParitySources, holdAgainst, type ParityFlags, readReference, sourcesOf } from './parity-flags.ts';

/** What the test strategy's section 4.1 asks for. */
const STRATEGY = fileURLToPath(new URL('../../parity/strategy.yaml', import.meta.url));

type Flags = ParityFlags & { readonly reference: string; readonly write?: string; readonly target?: URL };

/** `parity`: is this environment what the reference says? */
export function parityCommand(): Command {
  const command = new Command('parity')
    .description('hold versions and settings of an environment against a reference, or write one')
    .option('--reference <file>', 'YAML or JSON (default: the environment of the test strategy, section 4.1)', STRATEGY)
    .option('--write <file>', 'make a reference of this environment instead')
    .option('-t, --target <url>', 'web origin of the platform: the way there is measured', (text) => {
      const url = URL.parse(text);
      if (url === null) throw new InvalidArgumentError('It must be a URL.');
      return url;
    });
  return addParitySources(command).action(async (flags: Flags) => {
    process.exitCode = await run(flags);
  });
}

async function run(flags: Flags): Promise<number> {
  try {
    if (flags.write !== undefined) return await write(flags.write, flags);
    return parityExitCode(await holdAgainst(await readReference(flags.reference), flags, flags.target));
  } catch (error) {
    const isUsage = error instanceof ParityReferenceError || (error as NodeJS.ErrnoException).code !== undefined;
    if (!isUsage) throw error;
    console.error(`lab: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_CODES.usage;
  }
}

async function write(path: string, flags: Flags): Promise<number> {
  const { settings, notes } = await readEnvironment(sourcesOf(flags, null, flags.target));
  for (const note of notes) console.log(note);
  await writeFile(path, referenceText(`made ${new Date().toISOString()}`, settings));
  console.log(`${Object.keys(settings).length} settings kept in ${path}`);
  return notes.length === 0 ? EXIT_CODES.passed : EXIT_CODES.inconclusive;
}
