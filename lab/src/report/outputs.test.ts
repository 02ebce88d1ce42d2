import { describe, expect, test } from 'vitest';
import { CRITERION, smallRun } from '../../test/small-run.ts';
import { terminalReport } from '../cli/terminal-report.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import { verdictOf } from '../run-folder/run-verdict.ts';
import type { Criterion } from '../verdict/criterion.ts';
import { criteriaCsv, seriesCsv } from './csv.ts';
import { junitXml } from './junit.ts';
import { markdownReport } from './markdown.ts';
import { reportPage } from './report-page.ts';
import { byUrgency } from './urgency.ts';

const FAST: Criterion = { ...CRITERION, id: 'fast', title: 'Fast | <p95> & "more"', limit: 100 };
const ADVISORY: Criterion = { ...FAST, id: 'advisory', isMandatory: false };
const UNKNOWN: Criterion = { ...CRITERION, id: 'unknown', measure: { kind: 'mean', metric: 'nothing_ms' } };
const ABSENT: Criterion = { ...CRITERION, id: 'absent', plane: 'commerce' };

const mixed = (): RunData => smallRun(1500, { criteria: [CRITERION, FAST, ADVISORY, UNKNOWN, ABSENT] });

type Node = { name: string; attributes: Record<string, string>; children: Node[]; text: string };

/** Reads well-formed XML and throws on anything else: unescaped signs, tags that do not match, attributes given twice. */
function parseXml(xml: string): Node {
  const root: Node = { name: '', attributes: {}, children: [], text: '' };
  const stack = [root];
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  let at = 0;
  for (const match of body.matchAll(/<(\/?)([A-Za-z-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const between = body.slice(at, match.index);
    if (/[<>]|&(?!(?:amp|lt|gt|quot|#10);)/.test(between)) throw new Error(`unescaped: ${between}`);
    const parent = stack.at(-1);
    if (parent === undefined) throw new Error('too many ends');
    parent.text += between;
    at = match.index + match[0].length;
    const [, isEnd, name = '', list = '', isEmpty] = match;
    if (isEnd === '/') {
      if (stack.pop()?.name !== name) throw new Error(`</${name}> ends another element`);
      continue;
    }
    const pairs = [...list.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value] as const);
    if (new Set(pairs.map(([key]) => key)).size !== pairs.length) throw new Error(`twice in ${name}`);
    if (pairs.some(([, value]) => /&(?!(?:amp|lt|gt|quot|#10);)/.test(value))) throw new Error(`unescaped in ${name}`);
    const node: Node = { name, attributes: Object.fromEntries(pairs), children: [], text: '' };
    parent.children.push(node);
    if (isEmpty !== '/') stack.push(node);
  }
  if (stack.length !== 1 || body.slice(at).trim() !== '') throw new Error('not closed');
  return root;
}

/** RFC 4180. */
function parseCsv(text: string): string[][] {
  return text
    .split('\r\n')
    .slice(0, -1)
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    );
}

describe('JUnit', () => {
  const suite = (run: RunData) => parseXml(junitXml(run, verdictOf(run))).children[0]?.children[0];
  const kindOf = (run: RunData, id: string) =>
    suite(run)?.children.find(({ attributes }) => attributes.name?.endsWith(`[${id}]`))?.children[0]?.name;

  test('one test case per criterion, and one for the run', () => {
    const found = suite(mixed());
    expect(found?.attributes).toMatchObject({ tests: '6', failures: '1', errors: '1', skipped: '2' });
    expect(found?.children.filter(({ name }) => name === 'testcase')).toHaveLength(6);
  });

  test.each([
    ['startup', 'system-out'],
    ['fast', 'failure'],
    ['advisory', 'skipped'],
    ['unknown', 'error'],
    ['absent', 'skipped'],
  ])('%s: %s', (id, kind) => {
    expect(kindOf(mixed(), id)).toBe(kind);
  });

  test('a run that was interrupted is never all green', () => {
    expect(suite(smallRun(1500, { end: null }))?.attributes).toMatchObject({ failures: '0', errors: '1' });
    expect(suite(smallRun(1500))?.attributes).toMatchObject({ failures: '0', errors: '0' });
  });

  test('the limit, the section and the file are in it', () => {
    const found = suite(mixed())?.children.find(({ attributes }) => attributes.name?.endsWith('[fast]'));
    const output = found?.children.find(({ name }) => name === 'system-out')?.text;
    expect(output).toContain('asked for by T-14');
    expect(output).toContain('startup_ms in histograms.jsonl');
  });
});

describe('CSV', () => {
  test('criteria: the same number of cells in each row, texts whole', () => {
    const rows = parseCsv(criteriaCsv(verdictOf(mixed())));
    expect(rows).toHaveLength(6);
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    const [head = [], , fast = []] = rows;
    expect(fast[head.indexOf('title')]).toBe('Fast | <p95> & "more"');
    expect(fast[head.indexOf('outcome')]).toBe('fail');
    expect(fast[head.indexOf('file')]).toBe('histograms.jsonl');
  });

  test('series: one row per slice, every series a column, nothing measured is empty and not zero', () => {
    const run = smallRun(1500);
    const lines = [
      {
        ...run.lines[0],
        atMs: 0,
        counters: { 'a_total{group=x,type=y}': 3 },
        gauges: { vus_active: 1 },
        trends: {},
        self: [],
      },
      {
        atMs: 1000,
        counters: {},
        gauges: {},
        trends: { t_ms: { count: 1, p50: 2, p95: 2, p99: 2, max: 2 } },
        self: [],
      },
    ];
    const [head = [], first = [], second = []] = parseCsv(seriesCsv({ ...run, lines }));
    const cell = (row: string[], name: string) => row[head.indexOf(name)];
    expect([cell(first, 'a_total{group=x,type=y}'), cell(second, 'a_total{group=x,type=y}')]).toEqual(['3', '']);
    expect([cell(first, 't_ms p95'), cell(second, 't_ms p95')]).toEqual(['', '2']);
    expect(cell(second, 'at')).toBe('1970-01-01T00:00:01.000Z');
  });

  test('what a target is called is no formula', () => {
    const formula = { ...CRITERION, title: '=HYPERLINK("http://x")' };
    expect(criteriaCsv(verdictOf(smallRun(1500, { criteria: [formula] })))).toContain(`"'=HYPERLINK(""http://x"")"`);
  });
});

describe('Markdown', () => {
  test('what is broken comes first, and no title breaks the table', () => {
    const text = markdownReport(mixed(), verdictOf(mixed()));
    const rows = text.split('\n').filter((line) => /^\| [✅❌❔]/u.test(line));
    expect(rows[0]).toMatch(/^\| ❌ \| Fast \\\| &lt;p95> & "more" \|/);
    expect(new Set(rows.map((line) => line.split(/(?<!\\)\|/).length))).toEqual(new Set([8]));
    expect(text).toMatch(/^## Failed: smoke/);
  });
});

describe('what is read first', () => {
  const close = { ...CRITERION, id: 'close', title: 'Close', limit: 1501 };
  const many = (): RunData =>
    smallRun(1500, {
      criteria: [
        ...Array.from({ length: 10 }, (_, index) => ({ ...CRITERION, id: `easy-${index}`, limit: 9000 + index })),
        close,
        FAST,
        UNKNOWN,
      ],
    });

  test('broken, then not decided, then what held with the least room; the rest is folded', () => {
    const order = byUrgency(verdictOf(many()).judgements);
    const ids = (key: keyof typeof order): string[] => order[key].map(({ criterion }) => criterion.id);
    expect([ids('broken'), ids('undecided')]).toEqual([['fast'], ['unknown']]);
    expect(ids('closest')).toEqual(['close', 'easy-0', 'easy-1', 'easy-2', 'easy-3', 'easy-4']);
    expect(ids('held')).toHaveLength(5);
    const html = reportPage(many(), verdictOf(many()));
    expect(html.indexOf('id="close"')).toBeLessThan(html.indexOf('Held with more room'));
    expect(html.indexOf('id="easy-9"')).toBeGreaterThan(html.indexOf('Held with more room'));
  });

  test('a terminal shows them last, and only counts the rest', () => {
    const text = terminalReport(many(), verdictOf(many()), 'report.html');
    expect(text).toContain('✓ 5 more held with more room: all in the report');
    expect(text.indexOf('Close')).toBeLessThan(text.indexOf('Fast'));
  });
});

describe('whether it can be believed', () => {
  const parity = { reference: 'staging.yaml', mismatches: ['nginx.worker_processes: 1, not 4'], unknown: [] };
  const calibration = { source: 'stored', usedPercent: 12, limitPercent: 70, isForced: false, note: 'fits' } as const;
  const sentinels = [{ type: 'skipped', wanted: 2, reason: 'no Chromium here' }] as const;

  test.each([
    ['html', reportPage],
    ['md', markdownReport],
  ])('%s: parity, calibration and real browsers have a line, and none when nobody asked', (_name, make) => {
    const asked = { ...smallRun(1500, { parity, calibration }), sentinels };
    const text = make(asked, verdictOf(asked));
    expect(text).toContain('Differs from staging.yaml: nginx.worker_processes: 1, not 4.');
    expect(text).toContain('The plan needs 12 % of it (limit 70 %).');
    expect(text).toContain('Skipped: no Chromium here.');
    expect(make(smallRun(1500), verdictOf(smallRun(1500)))).not.toMatch(/Parity|Calibration|Real browsers|Canary/);
  });
});

test.each([
  ['html', reportPage],
  ['md', markdownReport],
  ['junit', junitXml],
  ['series.csv', (run: RunData) => seriesCsv(run)],
  ['criteria.csv', (_: RunData, verdict: ReturnType<typeof verdictOf>) => criteriaCsv(verdict)],
])('%s is a pure function of the run folder: same folder, same bytes', (_name, make) => {
  const [first, second] = [mixed(), mixed()];
  expect(make(first, verdictOf(first))).toBe(make(second, verdictOf(second)));
});

describe('the page', () => {
  const page = (run: RunData) => reportPage(run, verdictOf(run));

  test('every figure names its metric and its file', () => {
    expect(page(smallRun(1500))).toContain('p100 of the merged histograms: startup_ms in histograms.jsonl');
  });

  test('a co-located or shortened run says nothing about how many viewers it would take', () => {
    for (const manifest of [{ isCoLocated: true }, { isShortened: true }, {}]) {
      expect(page(smallRun(1500, manifest))).not.toMatch(/viewers?: .*straight line|Would fail at/);
    }
  });

  test('a run from few samples is stamped so and never ready', () => {
    const few = { ...CRITERION, measure: { ...CRITERION.measure, percentile: 95 }, isIndicative: true } as Criterion;
    const run = smallRun(1500, { criteria: [few] });
    expect(verdictOf(run)).toMatchObject({ outcome: 'passed', isReady: false, stamps: ['indicative'] });
    expect(page(run)).toContain('few samples');
  });

  test('a plan over what the generator can do is stamped so', () => {
    const calibration = {
      source: 'stored',
      usedPercent: 90,
      limitPercent: 70,
      isForced: true,
      note: 'forced',
    } as const;
    expect(verdictOf(smallRun(1500, { calibration }))).toMatchObject({ isReady: false, stamps: ['over-capacity'] });
  });

  test('lines of the gate that the run is no evidence for name the run that is', () => {
    const html = page(smallRun(1500, { criteria: [{ ...CRITERION, gate: 'M5' }] }));
    expect(html).toContain('needs the soak run');
    expect(html).toMatch(/class="tile pass"[^>]*href="#startup"/);
  });
});
