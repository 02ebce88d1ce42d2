import { type Command, InvalidArgumentError } from 'commander';
import { REPORT_FORMATS, type ReportFormat } from '../report/write-report.ts';

/** `--format`, the same for a run and for judging its folder again. */
export type FormatFlag = { readonly format: readonly ReportFormat[] };

/** `byDefault`: what is written when nothing is said. */
export function addFormatFlag(command: Command, byDefault: readonly ReportFormat[]): Command {
  return command.option(
    '--format <list>',
    `what to write, separated by commas: ${REPORT_FORMATS.join(', ')} (report.html, report.md, junit.xml, series.csv and criteria.csv)`,
    parseFormats,
    byDefault,
  );
}

function parseFormats(text: string): readonly ReportFormat[] {
  const wanted = text.split(',').map((name) => name.trim());
  const known = REPORT_FORMATS.filter((format) => wanted.includes(format));
  if (known.length === wanted.length) return known;
  throw new InvalidArgumentError(`It must be some of ${REPORT_FORMATS.join(',')}.`);
}
