import { describe, expect, test } from 'vitest';
import { SAMPLE_METRICS } from '../collectors/metric-names.ts';
import type { SampleLine } from '../collectors/sample.ts';
import type { AlertRule } from './alert.ts';
import { AlertBoard, WATCHED_MAX } from './alert-board.ts';
import { STRATEGY_ALERTS } from './strategy-alerts.ts';

const RULE: AlertRule = {
  id: 'cpu',
  section: '3.2',
  severity: 'warning',
  title: 'busy',
  collectors: ['process'],
  metric: 'cpu_pct',
  op: '>',
  threshold: 75,
  forMs: 10_000,
  clearAt: 70,
};

/** One word per five seconds: a value, or `gap`. What comes back: `fired@s`, `cleared@s`. */
function story(words: string, rule: Partial<AlertRule> = {}): string {
  const board = new AlertBoard([{ ...RULE, ...rule }]);
  return words
    .split(' ')
    .flatMap((word, index) => board.add(line(word, index * 5000)))
    .filter(({ rule: id }) => id === 'cpu')
    .map(({ name, atMs }) => `${name.replace('alert_', '')}@${atMs / 1000}`)
    .join(' ');
}

function line(word: string, atMs: number, source = 'media'): SampleLine {
  const head = { atMs, atWallMs: 1_000_000 + atMs, collector: 'process', source };
  return word === 'gap' ? { ...head, error: 'gone' } : { ...head, metrics: { cpu_pct: Number(word) } };
}

describe('a rule', () => {
  test.each([
    //                                                       what is seen                what happens
    ['fires once it was seen to hold for its time', '80 80 80 80', 'fired@10'],
    ['does not fire for less', '80 80 50 80 80 50', ''],
    ['at the threshold is not over it', '75 75 75 75', ''],
    ['clears on the good side of its lower limit only', '80 80 80 72 71 70 60', 'fired@10 cleared@25'],
    ['that came back in between begins anew', '80 80 80 60 80 80 80', 'fired@10 cleared@15 fired@30'],
    ['does not count the time of a gap', '80 80 gap gap gap 80', ''],
    ['goes on after a gap where it was', '80 80 gap 80 80', 'fired@20'],
    ['is not cleared by a gap', '80 80 80 gap gap gap gap 80 60', 'fired@10 cleared@40'],
  ])('%s', (_, seen, happens) => {
    expect(story(seen)).toBe(happens);
  });

  test('without a time fires at once', () => expect(story('10 80 10', { forMs: 0 })).toBe('fired@5 cleared@10'));

  test('below a threshold', () =>
    expect(story('96 94 94 94 95 99', { op: '<', threshold: 95, clearAt: 97 })).toBe('fired@15 cleared@25'));

  test.each(['==', '!='] as const)('%s', (op) =>
    expect(story('0 1 0', { op, threshold: 1, forMs: 0 })).toBe(
      op === '==' ? 'fired@5 cleared@10' : 'fired@0 cleared@5 fired@10',
    ),
  );

  test('watches every source, and every part of it, on its own', () => {
    const board = new AlertBoard([{ ...RULE, forMs: 0 }]);
    const withPart = { ...line('90', 0), labels: { name: 'one' } };
    expect(board.add(line('90', 0)).map(({ source }) => source)).toEqual(['process media']);
    expect(board.add(withPart).map(({ source }) => source)).toEqual(['process media one']);
    expect(board.add(line('90', 0, 'redis')).map(({ source }) => source)).toEqual(['process redis']);
    expect(board.firing.map(({ source }) => source)).toEqual(['process media', 'process media one', 'process redis']);
  });

  test('of one source only leaves the others alone', () => {
    const board = new AlertBoard([{ ...RULE, forMs: 0, source: /media/ }]);
    expect(board.add(line('90', 0, 'redis'))).toEqual([]);
    expect(board.add(line('90', 0, 'media-server'))).toHaveLength(1);
  });
});

describe('a collector that died', () => {
  test('is an alert of its own, until it brings figures again', () => {
    const board = new AlertBoard();
    const words = '10 gap gap gap gap gap 10'.split(' ');
    const events = words.flatMap((word, index) => board.add(line(word, index * 5000)));
    expect(events.map(({ name, rule, atMs, value }) => [name, rule, atMs, value])).toEqual([
      ['alert_fired', 'collector-dead', 20_000, null],
      ['alert_cleared', 'collector-dead', 30_000, null],
    ]);
  });

  test('that never lived is dead too', () => {
    const board = new AlertBoard();
    const events = [0, 1, 2, 3].flatMap((index) => board.add(line('gap', index * 5000)));
    expect(events.map(({ rule }) => rule)).toEqual(['collector-dead']);
  });
});

test('more pairs of rule and source than can be watched are counted', () => {
  const board = new AlertBoard([RULE]);
  for (let index = 0; index < WATCHED_MAX + 3; index += 1) board.add(line('10', 0, `s${index}`));
  expect(board.untracked).toBe(3);
});

describe('the thresholds of the strategy', () => {
  test('each is about a metric that a collector brings', () => {
    const wrong = STRATEGY_ALERTS.flatMap(({ id, collectors, metric }) =>
      collectors
        .filter((name) => !(metric in (SAMPLE_METRICS[name as keyof typeof SAMPLE_METRICS]?.metrics ?? {})))
        .map((name) => `${id}: ${name} has no ${metric}`),
    );
    expect(wrong).toEqual([]);
    expect(new Set(STRATEGY_ALERTS.map(({ id }) => id)).size).toBe(STRATEGY_ALERTS.length);
  });

  /** As the tables of sections 3.2 to 3.7 and of the gap analysis have them. */
  test.each([
    ['3.2', 'cpu_pct > 75 60s, mem_pct > 80, pids > 500'],
    [
      '3.3',
      'rt_p95_ms > 1000, rt_p99_ms > 2000, error_4xx_pct > 5, error_5xx_pct > 1, error_499_pct > 5, error_502 > 0, ' +
        'error_504 > 0, active_connections > 1500, uct_p95_ms > 100, urt_p95_ms > 500',
    ],
    [
      '3.4',
      'clients > 600, streams != 1, stream_recv_kbps < 500, stream_recv_kbps > 6000, publish_active == 0, ' +
        'cpu_pct > 70 60s, frame_drops_per_min > 0, disconnects_per_min > 10',
    ],
    [
      '3.5',
      'root_connections > 600, chat_connections > 600, streaming_connections > 600, chat_msg_per_sec > 100, ' +
        'delta_pct > 5, p95_ms > 500, status != 200, event_loop_lag_p99_ms > 100, heap_used_mb > 512, external_mb > 256',
    ],
    [
      '3.6',
      'connected_clients > 200, used_memory_mb > 200, mem_fragmentation_ratio > 1.5, ops_per_sec > 10000, ' +
        'hit_pct < 90, evicted_keys > 0',
    ],
    ['3.7', 'active_pct > 80, waiting > 10, cache_hit_pct < 95, deadlocks > 0, slow_statements > 0'],
    ['G-29', 'cpu_pct > 85 60s'],
    ['G-30', 'used_memory_pct > 80'],
    ['G-31', 'connections_pct > 85'],
    ['G-33', 'refused_pct > 2 600s'],
  ])('%s', (section, thresholds) => {
    const rules = STRATEGY_ALERTS.filter((rule) => rule.section === section).map(
      ({ metric, op, threshold, forMs }) => `${metric} ${op} ${threshold}${forMs >= 60_000 ? ` ${forMs / 1000}s` : ''}`,
    );
    expect(rules.join(', ')).toBe(thresholds);
  });
});
