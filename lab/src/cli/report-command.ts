import { resolve } from 'node:path';
import { Command } from 'commander';
import { writeReport } from '../report/write-report.ts';
import { type RunData, RunFolderError, readRunFolder } from '../run-folder/run-reader.ts';
import { type RunVerdict, verdictOf } from '../run-folder/run-verdict.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';
import { addFormatFlag, type FormatFlag } from './format-flag.ts';
import { terminalReport } from './terminal-report.ts';

/** `report RUN_DIR`: the same folder gives the same verdict and the same page, on every machine. */
export function reportCommand(): Command {
  return addFormatFlag(new Command('report'), ['html'])
    .description('judge a run folder again, print the verdict and write the report')
    .argument('<run-dir>', 'folder that a run made')
    .action(async (folder: string, { format }: FormatFlag) => {
      try {
        const { run, verdict } = await judgeFolder(resolve(folder));
        const reportPath = await writeReport(run, verdict, format);
        console.log(terminalReport(run, verdict, reportPath));
        process.exitCode = verdict.exitCode;
      } catch (error) {
        if (!(error instanceof RunFolderError)) throw error;
        console.error(`lab: ${error.message}`);
        process.exitCode = EXIT_CODES.usage;
      }
    });
}

/** Judging is pure, so whatever it trips over is in the folder. Throws RunFolderError. */
async function judgeFolder(folder: string): Promise<{ run: RunData; verdict: RunVerdict }> {
  const run = await readRunFolder(folder);
  try {
    return { run, verdict: verdictOf(run) };
  } catch (error) {
    throw new RunFolderError(`${folder} cannot be read: ${error instanceof Error ? error.message : 'damaged'}`);
  }
}
