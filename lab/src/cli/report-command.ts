import { resolve } from 'node:path';
import { Command } from 'commander';
import { writeReport } from '../report/write-report.ts';
import { RunFolderError, readRunFolder } from '../run-folder/run-reader.ts';
import { verdictOf } from '../run-folder/run-verdict.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';
import { terminalReport } from './terminal-report.ts';

/** `report RUN_DIR`: the same folder gives the same verdict and the same page, on every machine. */
export function reportCommand(): Command {
  return new Command('report')
    .description('judge a run folder again, print the verdict and write report.html')
    .argument('<run-dir>', 'folder that a run made')
    .action(async (folder: string) => {
      try {
        const run = await readRunFolder(resolve(folder));
        const verdict = verdictOf(run);
        const reportPath = await writeReport(run, verdict);
        console.log(terminalReport(run, verdict, reportPath));
        process.exitCode = verdict.exitCode;
      } catch (error) {
        if (!(error instanceof RunFolderError)) throw error;
        console.error(`lab: ${error.message}`);
        process.exitCode = EXIT_CODES.usage;
      }
    });
}
