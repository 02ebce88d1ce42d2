/**
 * Prometheus text exposition (https://prometheus.io/docs/instrumenting/exposition_formats/), read strictly: a line that is
 * none makes the whole answer unreadable, because a half-read answer would look like counters that went down.
 */
import { CollectError } from './collector.ts';

/** One value. Histograms and summaries are several samples: `_bucket`, `_sum`, `_count`. */
export type ExpositionSample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

/** What one answer holds. `types`: by family, `counter`, `gauge`, `histogram`, `summary`, `untyped`. */
export type Exposition = {
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly ExpositionSample[];
};

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})?[ \\t]+(\\S+)(?:[ \\t]+-?\\d+)?[ \\t]*$`);
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)/y;
const TYPE = new RegExp(`^#\\s+TYPE\\s+(${NAME})\\s+(counter|gauge|histogram|summary|untyped)\\s*$`);

/** Throws {@link CollectError} that names the line. */
export function parseExposition(text: string): Exposition {
  const types = new Map<string, string>();
  const samples: ExpositionSample[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const type = TYPE.exec(line);
    if (type !== null) types.set(type[1] ?? '', type[2] ?? '');
    else if (line.trim() !== '' && !line.startsWith('#')) samples.push(parseSample(line, index + 1));
  }
  return { types, samples };
}

function parseSample(line: string, number: number): ExpositionSample {
  const [, name, labels = '', value = ''] = SAMPLE.exec(line) ?? [];
  const parsed = name === undefined ? null : parseLabels(labels);
  const figure = parseValue(value);
  if (name === undefined || parsed === null || figure === null) {
    throw new CollectError(`line ${number} of its metrics is none: ${line.slice(0, 80)}`);
  }
  return { name, labels: parsed, value: figure };
}

function parseLabels(text: string): Record<string, string> | null {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    if (found === null) return null;
    labels[found[1] ?? ''] = (found[2] ?? '').replace(/\\(.)/g, (_, escaped: string) =>
      escaped === 'n' ? '\n' : escaped,
    );
  }
  return labels;
}

function parseValue(text: string): number | null {
  if (text === 'NaN') return Number.NaN;
  if (/^[+-]?Inf(inity)?$/i.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : null;
}
