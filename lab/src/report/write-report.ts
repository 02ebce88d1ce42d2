import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunData } from '../run-folder/run-reader.ts';
import type { RunVerdict } from '../run-folder/run-verdict.ts';
import { criteriaCsv, seriesCsv } from './csv.ts';
import { junitXml } from './junit.ts';
import { markdownReport } from './markdown.ts';
import { reportPage } from './report-page.ts';

/** What a report can be written as, and the files it becomes. */
export const REPORT_FORMATS = ['html', 'md', 'junit', 'csv'] as const;
/** One of {@link REPORT_FORMATS}. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

type Files = Readonly<Record<string, (run: RunData, verdict: RunVerdict) => string>>;

const FILES: Readonly<Record<ReportFormat, Files>> = {
  html: { 'report.html': reportPage },
  md: { 'report.md': markdownReport },
  junit: { 'junit.xml': junitXml },
  csv: { 'series.csv': (run) => seriesCsv(run), 'criteria.csv': (_, verdict) => criteriaCsv(verdict) },
};

/**
 * Writes `verdict.json` and the report into the run folder, replacing older ones. Every file is a pure function of the folder.
 * Returns the path of the first file.
 */
export async function writeReport(
  run: RunData,
  verdict: RunVerdict,
  formats: readonly ReportFormat[] = ['html'],
): Promise<string> {
  await replaceFile(join(run.folder, 'verdict.json'), `${JSON.stringify(verdict, null, 2)}\n`);
  const written: string[] = [];
  for (const [name, make] of formats.flatMap((format) => Object.entries(FILES[format]))) {
    const path = join(run.folder, name);
    await replaceFile(path, make(run, verdict));
    written.push(path);
  }
  return written[0] ?? join(run.folder, 'verdict.json');
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}
