import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Table from 'cli-table3';
import { formatValue } from '../report/sentences.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import { compareSentinels, type SentinelPair } from '../sentinels/compare-sentinels.ts';
import { SENTINELS_FILE, type SentinelLine } from '../sentinels/sentinel-record.ts';

const NAMES = { flv: 'FLV', hls: 'HLS', llhls: 'LL-HLS' } as const;

/** Real browsers beside virtual viewers, for a terminal; empty for a run without them. */
export async function sentinelReport(run: RunData): Promise<string> {
  const text = await readFile(join(run.folder, SENTINELS_FILE), 'utf8').catch(() => '');
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SentinelLine);
  const comparison = compareSentinels(lines, run);
  if (comparison === null) return '';
  if (comparison.skippedBecause !== null) return `sentinels: skipped, ${comparison.skippedBecause}`;
  const table = new Table({
    head: ['real browsers', 'figure', 'real', 'virtual', 'difference'],
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
  });
  for (const pair of comparison.pairs) table.push(row(pair));
  return table.toString();
}

function row({ protocol, figure, tier, unit, real, virtual, sessions }: SentinelPair): string[] {
  const show = (value: number | null): string => (value === null ? '–' : formatValue(value, unit));
  const difference = real === null || virtual === null ? null : real - virtual;
  const sign = difference !== null && difference >= 0 ? '+' : '';
  return [
    `${sessions} × ${NAMES[protocol]}`,
    tier === null ? figure : `${figure} (${tier})`,
    show(real),
    show(virtual),
    difference === null ? '–' : `${sign}${show(difference)}`,
  ];
}
