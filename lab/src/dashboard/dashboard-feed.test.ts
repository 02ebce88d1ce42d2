import { describe, expect, test } from 'vitest';
import type { LabEvent } from '../clients/actor.ts';
import type { SampleLine } from '../collectors/sample.ts';
import { ALERT_ROWS_MAX, AlertLog } from './alert-log.ts';
import { CollectedFigures } from './collected-figures.ts';
import { DashboardFeed } from './dashboard-feed.ts';
import { FaultTimeline } from './fault-timeline.ts';
import { isHostAllowed } from './host-check.ts';
import { PointRing, RING_ROWS_MAX } from './point-ring.ts';
import { TrendCharts } from './trend-charts.ts';

function event(name: string, atMs: number, detail: LabEvent['detail']): LabEvent {
  return { name, vu: -1, atMs, detail };
}

function sample(collector: string, source: string, atMs: number, metrics: Record<string, number>): SampleLine {
  return { atMs, atWallMs: 0, collector, source, metrics };
}

describe('collected figures', () => {
  test('a gauge per machine, warned of above the limits of the strategy', () => {
    const figures = new CollectedFigures();
    figures.addLine(sample('process', 'media-server', 0, { cpu_pct: 80, mem_mb: 512, mem_pct: 12, pids: 11 }));
    expect(figures.system().groups).toEqual([
      {
        name: 'media-server',
        note: '11 threads',
        meters: [
          { label: 'CPU', value: '80 %', percent: 80, tone: 'bad' },
          { label: 'memory', value: '512 MB', percent: 12, tone: 'good' },
        ],
      },
    ]);
  });

  test('a gap is named and never drawn as zero; a source that fell silent neither', () => {
    const figures = new CollectedFigures();
    figures.addLine(sample('process', 'worker', 0, { cpu_pct: 5 }));
    figures.addLine({ atMs: 5000, atWallMs: 0, collector: 'redis', source: 'cache', error: 'refused' });
    expect(figures.system().tiles).toMatchObject([{ label: 'redis cache', value: 'no figures', tone: 'warn' }]);
    figures.tick(60_000);
    expect(figures.bySource(['process'], 'cpu_pct')).toEqual(new Map([['worker', null]]));
    expect(figures.system().groups).toMatchObject([{ note: 'silent' }]);
  });

  test('sockets by namespace', () => {
    const figures = new CollectedFigures();
    figures.addLine(sample('websocket', 'realtime', 0, { root_connections: 3, chat_connections: 2, viewers: 2 }));
    expect([...figures.connections()]).toEqual([
      ['/', 3],
      ['/chat', 2],
    ]);
  });

  test('sources without end are counted, not kept', () => {
    const figures = new CollectedFigures();
    for (let index = 0; index < 500; index += 1) figures.addLine(sample('process', `p${index}`, 0, { cpu_pct: 1 }));
    expect(figures.system().groups.length).toBe(24);
    expect(figures.system().tiles).toMatchObject([{ label: 'sources', value: 'more than can be shown' }]);
  });
});

describe('the alert log', () => {
  const fired = (atMs: number, source = 'nginx'): LabEvent =>
    event('alert_fired', atMs, {
      rule: 'nginx-502',
      title: '502',
      severity: 'critical',
      section: '3.3',
      source,
      value: 2,
      threshold: 0,
    });

  test('newest first, with what is still active', () => {
    const log = new AlertLog();
    log.addEvent(fired(5000));
    log.addEvent(fired(9000, 'edge'));
    log.addEvent(event('alert_cleared', 65_000, { rule: 'nginx-502', title: '502', source: 'nginx', threshold: 0 }));
    expect(log.activeCount).toBe(1);
    expect(log.rows.map(({ at, tone, isActive, text }) => [at, tone, isActive, text])).toEqual([
      ['1:05', 'good', false, 'nginx: over (502)'],
      ['0:09', 'bad', true, 'edge: 502 (2, limit 0)'],
      ['0:05', 'bad', false, 'nginx: 502 (2, limit 0)'],
    ]);
  });

  test('keeps its last lines only', () => {
    const log = new AlertLog();
    for (let index = 0; index < 3 * ALERT_ROWS_MAX; index += 1) log.addEvent(fired(index * 1000));
    expect(log.rows.length).toBe(ALERT_ROWS_MAX);
  });
});

test('the fault timeline goes from planned to healed, and what no probe saw is said so', () => {
  const planned = (name: string) =>
    ({
      name,
      atMs: 10_000,
      durationMs: 5000,
      fault: { kind: 'partition' },
      on: ['video'],
      skippedBecause: null,
    }) as const;
  const timeline = new FaultTimeline([
    planned('cut'),
    planned('ghost'),
    { ...planned('kill'), skippedBecause: 'no pid' },
  ]);
  timeline.addEvent(event('fault_injected', 10_000, { fault: 'cut' }));
  timeline.addEvent(event('fault_active', 10_400, { fault: 'cut', by: 'the probe was not answered' }));
  expect(timeline.rows[0]).toMatchObject({ stage: 'active', activeAtMs: 10_400, note: 'the probe was not answered' });
  timeline.addEvent(event('fault_healed', 15_000, { fault: 'cut' }));
  timeline.addEvent(event('fault_injected', 10_000, { fault: 'ghost' }));
  timeline.addEvent(event('fault_unverified', 12_000, { fault: 'ghost', by: 'the probe was answered' }));
  timeline.addEvent(event('fault_healed', 15_000, { fault: 'ghost' }));
  timeline.addEvent(event('stall', 15_000, { fault: 'cut' }));
  expect(timeline.rows.map(({ stage, note }) => [stage, note])).toEqual([
    ['healed', 'the probe was not answered'],
    ['failed', 'the probe was answered'],
    ['skipped', 'no pid'],
  ]);
});

describe('the ring of points', () => {
  const filled = (): PointRing => {
    const ring = new PointRing();
    for (let sequence = 1; sequence <= 400; sequence += 1) ring.add({ sequence, atMs: sequence * 1000, points: {} });
    return ring;
  };

  test('keeps five minutes', () => {
    expect(filled().rows.length).toBe(RING_ROWS_MAX);
    expect(filled().rows[0]?.sequence).toBe(101);
  });

  test('gives what came after a row, or says that some of it is gone', () => {
    expect(
      filled()
        .after(398)
        ?.map(({ sequence }) => sequence),
    ).toEqual([399, 400]);
    expect(filled().after(400)).toEqual([]);
    expect(filled().after(100)).toBeNull();
  });
});

test('a line of a chart that has no value now has a gap, and lines have a bound', () => {
  const charts = new TrendCharts();
  const collected = new CollectedFigures();
  for (let index = 0; index < 12; index += 1) collected.addLine(sample('process', `p${index}`, 0, { cpu_pct: index }));
  charts.update(null, new Map(), new Map([['shoppers', 3]]), collected);
  expect(charts.charts.find(({ id }) => id === 'cpu')?.lines.length).toBe(8);
  expect(charts.points['users.shoppers']).toBe(3);
  charts.update(null, new Map(), new Map(), collected);
  expect(charts.points['users.shoppers']).toBeNull();
});

describe('the Host header', () => {
  test.each([
    ['localhost:9090', true],
    ['127.0.0.1:9090', true],
    ['[::1]:9090', true],
    ['192.168.1.20', true],
    ['LOCALHOST:1', true],
    ['wall.example:9090', true],
    ['evil.example:9090', false],
    ['127.0.0.1.evil.example', false],
    ['localhost@evil.example', false],
    ['[evil]', false],
    ['', false],
    [undefined, false],
  ])('%s: %s', (header, expected) => {
    expect(isHostAllowed(header, 'wall.example')).toBe(expected);
  });
});

describe('the big line of a monitor', () => {
  const monitor = (): DashboardFeed =>
    new DashboardFeed({ runId: 'm', title: 'monitor', subtitle: '', durationMs: null, run: null });

  test('watching, then alerts', () => {
    const feed = monitor();
    feed.tick(5000);
    expect(feed.frame()).toMatchObject({
      status: { tone: 'good', word: 'Watching' },
      phase: { done: null, clock: '0:05' },
    });
    feed.addEvent(
      event('alert_fired', 6000, { rule: 'r', title: 't', severity: 'warning', source: 's', threshold: 1 }),
    );
    expect(feed.frame().status).toMatchObject({ tone: 'warn', word: 'Alerts: 1' });
    feed.finish(null);
    expect(feed.frame()).toMatchObject({ isOver: true, status: { word: 'Stopped' } });
  });
});
