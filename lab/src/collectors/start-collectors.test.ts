import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { CollectError, type Collector } from './collector.ts';
import { isCollected, type SampleLine } from './sample.ts';
import { COLLECTORS_MAX, CollectorSetupError, READINGS_MAX, startCollectors } from './start-collectors.ts';

const EVERY_MS = 40;

/** Collects until `enough` holds; every line in order. */
async function linesOf(
  collectors: readonly Collector[],
  enough: (lines: readonly SampleLine[]) => boolean,
  timeoutMs = EVERY_MS / 2,
): Promise<SampleLine[]> {
  const lines: SampleLine[] = [];
  const running = startCollectors({ collectors, everyMs: EVERY_MS, timeoutMs, onSample: (line) => lines.push(line) });
  try {
    await expect.poll(() => enough(lines), { timeout: 20_000, interval: 5 }).toBe(true);
  } finally {
    await running.stop();
  }
  return lines;
}

const of = (lines: readonly SampleLine[], source: string): SampleLine[] =>
  lines.filter((line) => line.source === source && line.collector !== 'collectors');
const fixed = (source: string, scrape: Collector['scrape']): Collector => ({ collector: 'health', source, scrape });
const ready: Collector['scrape'] = () => [{ metrics: { ready: 1 } }];

test('figures come with the moment, the lateness and the cost of their scrape', async () => {
  const lines = await linesOf([fixed('a', ready)], (all) => of(all, 'a').length >= 3);
  for (const line of of(lines, 'a')) {
    expect(line).toMatchObject({ collector: 'health', source: 'a', metrics: { ready: 1 } });
    expect(line.lateMs).toBeGreaterThanOrEqual(0);
    expect(line.tookMs).toBeGreaterThanOrEqual(0);
  }
  const moments = of(lines, 'a').map(({ atMs }) => atMs);
  expect(moments).toEqual(moments.toSorted((a, b) => a - b));
  const costs = lines.filter(({ collector }) => collector === 'collectors').filter(isCollected);
  expect(costs[0]?.metrics).toMatchObject({ scrapes: 1, gaps: 0 });
  expect(costs.every(({ metrics }) => (metrics.thread_cpu_pct ?? -1) >= 0)).toBe(true);
});

test('a scrape that hangs is a gap, never overlaps itself, and disturbs nobody else', async () => {
  let running = 0;
  let most = 0;
  const hung = Promise.withResolvers<void>();
  const hangs = fixed('hangs', async () => {
    running += 1;
    most = Math.max(most, running);
    await hung.promise; // pays no heed to its signal
    running -= 1;
    return [{ metrics: { ready: 1 } }];
  });
  const lines = await linesOf([hangs, fixed('well', ready)], (all) => {
    if (of(all, 'hangs').length >= 3) hung.resolve();
    return of(all, 'hangs').some(isCollected);
  });
  const errors = of(lines, 'hangs').flatMap((line) => ('error' in line ? [line.error] : []));
  expect(errors[0]).toBe('timed out');
  expect(errors[1]).toContain('has not come back');
  expect(most).toBe(1);
  expect(of(lines, 'well').every(isCollected)).toBe(true);
  expect(of(lines, 'well').length).toBeGreaterThanOrEqual(3);
});

test('an error is a gap that says why, without the secret', async () => {
  const failing: Collector = {
    ...fixed('fails', () => {
      throw new CollectError('password hunter2 was refused');
    }),
    secrets: ['hunter2', ''],
  };
  const [line] = of(await linesOf([failing], (all) => all.length > 0), 'fails');
  expect(line).toMatchObject({ error: 'password *** was refused' });
  expect(line).not.toHaveProperty('metrics');
});

test('no figures are a gap, too many are cut and told', async () => {
  const many = Array.from({ length: READINGS_MAX + 2 }, () => ({ metrics: { ready: 1 } }));
  const lines = await linesOf(
    [fixed('none', () => []), fixed('many', () => many)],
    (all) => of(all, 'many').length > 0,
  );
  expect(of(lines, 'none')[0]).toMatchObject({ error: 'it brought no figures' });
  const first = of(lines, 'many').slice(0, READINGS_MAX + 1);
  expect(first.filter(isCollected)).toHaveLength(READINGS_MAX);
  expect(first.at(-1)).toMatchObject({ error: expect.stringContaining('2 of 102 lines left out') });
});

test('those of the second group come after the first of the same moment', async () => {
  let slowDone = 0;
  const slow = fixed('slow', async () => {
    await sleep(10);
    slowDone += 1;
    return [{ metrics: { ready: 1 } }];
  });
  const after: Collector = { ...fixed('after', () => [{ metrics: { status: slowDone } }]), group: 1 };
  const lines = await linesOf([after, slow], (all) => of(all, 'after').length >= 1, 10_000);
  expect(of(lines, 'after')[0]).toMatchObject({ metrics: { status: 1 } });
});

test('stop closes every source, once', async () => {
  const closed: string[] = [];
  const lines: SampleLine[] = [];
  const collectors = ['a', 'b'].map((name) => ({ ...fixed(name, ready), close: () => void closed.push(name) }));
  const running = startCollectors({ collectors, everyMs: 10_000, onSample: (line) => lines.push(line) });
  await running.stop();
  expect(closed).toEqual(['a', 'b']);
});

test('stop ends a scrape that still runs, then closes its source', async () => {
  const order: string[] = [];
  const began = Promise.withResolvers<void>();
  const running: Collector = {
    ...fixed('long', async (signal) => {
      began.resolve();
      await sleep(60_000, undefined, { signal }).catch(() => order.push('given up'));
      return [];
    }),
    close: () => void order.push('closed'),
  };
  const lines: SampleLine[] = [];
  const collecting = startCollectors({ collectors: [running], everyMs: 60_000, onSample: (line) => lines.push(line) });
  await began.promise;
  await collecting.stop();
  expect(order).toEqual(['given up', 'closed']);
  expect(lines).toEqual([]);
});

test('too many sources, and two of one name, are refused', () => {
  const start = (collectors: readonly Collector[]) => () => startCollectors({ collectors, onSample: () => {} });
  const many = Array.from({ length: COLLECTORS_MAX + 1 }, (_, index) => fixed(`s${index}`, ready));
  expect(start(many)).toThrow(CollectorSetupError);
  expect(start([fixed('same', ready), fixed('same', ready)])).toThrow(/health same/);
});
