import { describe, expect, test } from 'vitest';
import { smallRun as run } from '../../test/small-run.ts';
import { METRICS } from '../metrics/metric-catalogue.ts';
import type { RunData } from '../run-folder/run-reader.ts';
import { verdictOf } from '../run-folder/run-verdict.ts';
import { chartFigure } from './chart.ts';
import { reportPage } from './report-page.ts';
import { formatBytes, formatValue, outcomeSentence } from './sentences.ts';

const page = (data: RunData): string => reportPage(data, verdictOf(data));

describe('the report', () => {
  test('is a pure function of the run folder', () => {
    expect(page(run(1500))).toBe(page(run(1500)));
    expect(page(run(1500))).not.toBe(page(run(9000)));
  });

  test('names the groups that the target had no plane for', () => {
    expect(page(run(1500))).toContain('skipped: shoppers');
  });

  test('asks nobody for anything: no scripts, no links, no fonts', () => {
    expect(page(run(1500))).not.toMatch(/<script|<link|@import|\bsrc=|url\((?!#)/);
  });

  test('what a target calls itself is text, not markup', () => {
    expect(page(run(1500))).toContain('http://x/&lt;b&gt;');
    expect(page(run(1500))).not.toContain('<b>"');
    expect(page(run(1500))).toContain('Startup &lt;p95&gt;');
  });

  test('READY is said of a passed run of full length from another machine, and of no other', () => {
    expect(page(run(1500))).toContain('READY');
    expect(page(run(1500, { isShortened: true }))).not.toContain('READY');
    expect(page(run(1500, { isCoLocated: true }))).not.toContain('READY');
    expect(page(run(9000))).not.toContain('READY');
  });

  test('a run that was killed is interrupted, not passed', () => {
    expect(verdictOf(run(1500, { end: null }))).toMatchObject({ outcome: 'interrupted', exitCode: 130 });
  });

  test('colours follow the reader: none is fixed in a chart', () => {
    const svg = chartFigure(
      {
        title: 't',
        subtitle: 's',
        unit: 'ms',
        endSeconds: 2,
        limit: 2,
        shaded: [[0, 1]],
        lines: [
          {
            name: 'a',
            points: [
              [0, 1],
              [1, 2],
            ],
          },
        ],
      },
      0,
    );
    expect(svg).toContain('var(--a)');
    expect(svg).toContain('var(--bad)');
    expect(svg.match(/#[0-9a-f]{6}\b/gi) ?? []).toEqual([]);
  });
});

describe('sentences', () => {
  test.each([
    [1500, 'passes by 50 %'],
    [2990, 'passes by 0 %'],
    [4500, 'fails by 50 %'],
  ])('%d ms against 3 s: %s', (value, sentence) => {
    const [judgement] = verdictOf(run(value)).judgements;
    expect(judgement && outcomeSentence(judgement)).toBe(sentence);
  });

  test.each([
    [85.4, 'ms', '85 ms'],
    [1240, 'ms', '1.24 s'],
    [0.214, 'percent', '0.21 %'],
    [99.95, 'percent', '99.95 %'],
    [12345, 'count', '12,345'],
    [Number.NaN, 'ms', '–'],
  ] as const)('%d as %s is %s', (value, unit, text) => {
    expect(formatValue(value, unit)).toBe(text);
  });

  test('bytes', () => {
    expect([formatBytes(0), formatBytes(999), formatBytes(128_800_000)]).toEqual(['0 B', '999 B', '128.8 MB']);
  });
});

test('every metric says what it means', () => {
  for (const [name, { kind, meaning }] of Object.entries(METRICS)) {
    expect(meaning.length, name).toBeGreaterThan(10);
    expect(name.endsWith('_total'), name).toBe(kind === 'counter');
  }
});
