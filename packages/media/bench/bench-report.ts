/** Tables, bars and exit codes that the benchmarks share. */
import { writeFileSync } from 'node:fs';
import { machineName } from './machine.ts';

/** A column: its title and what stands in it. */
export type Column<Row> = readonly [title: string, value: (row: Row) => string];

/** A bar that was measured: a sentence, and whether it holds. */
export type Bar = Readonly<{ text: string; isHeld: boolean }>;

/** What a benchmark found. `tainted` names measurements that may be the machine's. */
export type Outcome<Row> = Readonly<{
  title: string;
  command: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  /** Sentences beside the bars: ratios, what bounds us. */
  notes: readonly string[];
  bars: readonly Bar[];
  tainted: readonly string[];
}>;

/** One measurement on one line, for the terminal as it comes. */
export function lineOf<Row>(columns: readonly Column<Row>[], row: Row): string {
  return columns.map(([title, value]) => `${title} ${value(row)}`).join(' · ');
}

/**
 * Prints the table, notes and bars, and writes `out` when it is given (Markdown when it ends in .md, else JSON). Returns the exit
 * code: 0 every bar holds, 1 one does not, 3 nothing can be said because the machine was busy.
 */
export function report<Row>(outcome: Outcome<Row>, out: string | undefined): number {
  const { rows, columns, bars, tainted } = outcome;
  const said = [...outcome.notes, ...bars.map(({ text, isHeld }) => `${isHeld ? 'holds' : 'MISSED'}: ${text}`)];
  const misses = bars.filter(({ isHeld }) => !isHeld).length;
  if (tainted.length > 0) {
    said.push(...tainted, 'INCONCLUSIVE: run it again on a machine that does nothing else.');
  } else {
    said.push(misses === 0 ? 'All bars that were measured hold.' : `${misses} of ${bars.length} bars missed.`);
  }
  process.stdout.write(`\n${textTable(columns, rows)}\n\n${said.join('\n')}\n`);
  if (out !== undefined) writeFileSync(out, out.endsWith('.md') ? markdown(outcome, said, out) : json(rows));
  if (tainted.length > 0) return 3;
  return misses === 0 ? 0 : 1;
}

function json(rows: readonly unknown[]): string {
  return `${JSON.stringify({ machine: machineName(), rows }, null, 2)}\n`;
}

function textTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, value]) => value(row)))];
  const widths = columns.map((_, column) => Math.max(...cells.map((one) => one[column]?.length ?? 0)));
  return cells.map((one) => one.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

function markdown<Row>({ title, command, rows, columns }: Outcome<Row>, said: readonly string[], out: string): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = [
    line(columns.map(([name]) => name)),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map(([, value]) => value(row)))),
  ];
  return `# ${title}

Written by \`${command} --out ${out}\` on ${machineName()}; the server alone on one core, publisher and
load client on the other, over loopback. Trust the ratios; absolute figures belong to this machine.

${table.join('\n')}

${said.map((sentence) => `- ${sentence}`).join('\n')}
`;
}
