/**
 * Configuration of one process: read once, from the environment, into a frozen object. Unknown or malformed variables
 * stop the start with every problem listed at once.
 */

/** One variable: how to read its text, what it means, what holds when it is not set. */
export type Variable<T> = {
  readonly doc: string;
  readonly fallback: string;
  /** Returns the value, or throws an Error whose message says what was expected. */
  readonly parse: (text: string) => T;
};

export type VariableTable = Readonly<Record<string, Variable<unknown>>>;
export type ConfigOf<T extends VariableTable> = { readonly [K in keyof T]: T[K] extends Variable<infer V> ? V : never };

/** All problems of a configuration; `problems` holds one line each. The process should print them and exit 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Reads `table` from `env`. Variables that start with one of `prefixes` but are not in the table are refused (a typo
 * must not pass silently). Throws {@link ConfigError}.
 */
export function readConfig<T extends VariableTable>(
  table: T,
  env: Readonly<Record<string, string | undefined>>,
  prefixes: readonly string[],
): ConfigOf<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(table)) {
    const text = env[name];
    try {
      values[name] = variable.parse(text === undefined || text === '' ? variable.fallback : text);
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)} (${variable.doc})`);
    }
  }
  for (const name of Object.keys(env)) {
    if (name in table || !prefixes.some((prefix) => name.startsWith(prefix))) continue;
    const near = nearest(name, Object.keys(table));
    problems.push(`${name}: no such variable${near === null ? '' : `; did you mean ${near}?`}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as ConfigOf<T>;
}

/** The table as text for `--help`: name, default, meaning. */
export function describeConfig(table: VariableTable): string {
  const rows = Object.entries(table).map(([name, variable]) => [name, variable.fallback || '(empty)', variable.doc]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** TCP port; 0 lets the kernel choose (tests). */
export function portVariable(fallback: number, doc: string): Variable<number> {
  return integerVariable(fallback, 0, 65_535, doc);
}

export function integerVariable(fallback: number, min: number, max: number, doc: string): Variable<number> {
  return {
    doc,
    fallback: String(fallback),
    parse: (text) => {
      const value = Number(text);
      if (!Number.isSafeInteger(value) || value < min || value > max) {
        throw new Error(`"${text}" is not a whole number from ${min} to ${max}`);
      }
      return value;
    },
  };
}

export function textVariable(fallback: string, doc: string): Variable<string> {
  return { doc, fallback, parse: (text) => text };
}

export function flagVariable(fallback: boolean, doc: string): Variable<boolean> {
  return {
    doc,
    fallback: String(fallback),
    parse: (text) => {
      if (text !== 'true' && text !== 'false') throw new Error(`"${text}" is neither true nor false`);
      return text === 'true';
    },
  };
}

export function choiceVariable<const C extends string>(fallback: C, choices: readonly C[], doc: string): Variable<C> {
  return {
    doc,
    fallback,
    parse: (text) => {
      const choice = choices.find((candidate) => candidate === text);
      if (choice === undefined) throw new Error(`"${text}" is none of ${choices.join(', ')}`);
      return choice;
    },
  };
}

/**
 * Absolute URL with one of the given schemes (without colon), or empty. The trailing slash is cut. What it refuses is not
 * repeated in the message: a URL may hold a password, and the message goes to logs.
 */
export function urlVariable(fallback: string, schemes: readonly string[], doc: string): Variable<string> {
  return {
    doc,
    fallback,
    parse: (text) => {
      if (text === '') return text;
      if (!URL.canParse(text)) throw new Error('this is not a URL');
      const scheme = new URL(text).protocol.slice(0, -1);
      if (!schemes.includes(scheme)) throw new Error(`it does not start with ${schemes.join(':// or ')}://`);
      return text.replace(/\/$/, '');
    },
  };
}

/** Variables that every process understands. */
export const COMMON_VARIABLES = {
  HOST: textVariable('127.0.0.1', 'Address to listen on; 0.0.0.0 opens the show to the network'),
  DATA_DIR: textVariable('data', 'Folder for database, keys, journals and recordings'),
  LOG_LEVEL: choiceVariable('info', ['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'Least level of log lines'),
} as const;

function nearest(name: string, candidates: readonly string[]): string | null {
  const scored = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best !== undefined && best.distance <= 4 ? best.candidate : null;
}

/** Levenshtein distance; names are short, so the plain table is fine. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
