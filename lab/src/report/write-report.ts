import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunData } from '../run-folder/run-reader.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import { reportPage } from './report-page.ts';

/** Writes `verdict.json` and `report.html` into the run folder, replacing older ones. Returns the report's path. */
export async function writeReport(run: RunData, verdict: RunVerdict): Promise<string> {
  await replaceFile(join(run.folder, 'verdict.json'), `${JSON.stringify(verdict, null, 2)}\n`);
  const path = join(run.folder, 'report.html');
  await replaceFile(path, reportPage(run, verdict));
  return path;
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}
