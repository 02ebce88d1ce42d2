/** What a request to the control API asks for beside its path. */
export type Page = Readonly<{ start: number; count: number }>;

const COUNT_DEFAULT = 10;
const COUNT_MAX = 100_000;

/**
 * `start` and `count` as SRS reads them: from 0, ten rows unless it says otherwise, nonsense counts as not said. A list tells its
 * `total`, so that a collector sees when it must ask for more.
 */
export function readPage(query: string): Page {
  const parameters = new URLSearchParams(query);
  const start = wholeNumber(parameters.get('start')) ?? 0;
  const count = wholeNumber(parameters.get('count')) ?? COUNT_DEFAULT;
  return { start, count: Math.min(COUNT_MAX, Math.max(1, count)) };
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
