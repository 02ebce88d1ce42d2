/** `lab/docs/samples.md`: what can stand in `samples.jsonl`, made of the same table that the collectors are held to. */
import { type CollectorEntry, SAMPLE_METRICS } from './metric-names.ts';
import { SOURCE_KINDS } from './source.ts';

const HEAD = `# What is collected

\`samples.jsonl\` in the run folder: one JSON object per line and scrape, every 5 s (\`--collect-every\`).

| field | meaning |
|---|---|
| \`timestamp\` | when the scrape began, ISO 8601 in UTC |
| \`atWallMs\` | the same in ms since 1970 |
| \`atMs\` | the same on the clock of the run |
| \`collector\`, \`source\` | what was looked at: kind and name. \`docker.srs.cpu_pct\` of the strategy's appendix B is \`cpu_pct\` of \`container srs\` (or \`process srs\`) |
| \`metrics\` | the figures. What cannot be read is left out, never zero |
| \`labels\` | which part of the source: \`stream\`, \`name\`; \`pid\` |
| \`histograms\` | distributions that merge (HdrHistogram V2, compressed, base64, in microseconds) |
| \`error\` | instead of \`metrics\`: no figures, and why. A gap is no evidence, for nothing |
| \`lateMs\`, \`tookMs\` | how much later than planned the scrape began, and how long it took |

Names with **B** are those of appendix B. "Since the last scrape": the first scrape of a source does not have them.
This page is made of \`lab/src/collectors/metric-names.ts\`.

## \`--collect KIND[:NAME]=WHERE\`
`;

/** The whole page. */
export function sampleDocument(): string {
  const kinds = Object.entries(SOURCE_KINDS).map(([kind, where]) => `| \`${kind}\` | ${where} |`);
  const collectors = Object.entries<CollectorEntry>(SAMPLE_METRICS).map(([name, entry]) => section(name, entry));
  return [HEAD, '| kind | where |', '|---|---|', ...kinds, '', ...collectors].join('\n');
}

function section(name: string, { what, metrics }: CollectorEntry): string {
  const rows = Object.entries(metrics).map(
    ([metric, { meaning, b }]) => `| \`${metric}\` | ${b ? '**B**' : ''} | ${meaning} |`,
  );
  return [
    `## ${name}`,
    '',
    `${what[0]?.toUpperCase()}${what.slice(1)}.`,
    '',
    '| metric | | meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
