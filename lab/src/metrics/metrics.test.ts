import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';
import { Recorder, SERIES_MAX, SeriesLimitError } from './recorder.ts';
import { matchesSeries, parseSeriesKey, seriesKey } from './series-key.ts';
import { SliceMerger } from './slice.ts';

test('histograms of any number of workers and seconds merge into what a single one would have been', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.double({ min: 0, max: 1e6, noNaN: true })), { minLength: 1 }),
      (samples) => {
        const single = new LatencyHistogram();
        const workers = [0, 1, 2, 3].map(() => new Recorder());
        const merger = new SliceMerger();
        for (const [index, [worker, value]] of samples.entries()) {
          single.record(value);
          workers[worker]?.trend('latency_ms', { group: 'g' }).record(value);
          if (index % 7 === 0) for (const recorder of workers) merger.add(recorder.takeSlice());
        }
        for (const recorder of workers) merger.add(recorder.takeSlice());
        const merged = merger.trends.get('latency_ms{group=g}');
        expect(merged?.count).toBe(single.count);
        for (const percentile of [0, 50, 90, 95, 99, 99.9, 100]) {
          expect(merged?.percentileMs(percentile)).toBe(single.percentileMs(percentile));
        }
        expect(merged?.maxMs).toBe(single.maxMs);
      },
    ),
    { numRuns: 50 },
  );
});

test('a percentile is within 0.1 % of the value', () => {
  const histogram = new LatencyHistogram();
  for (let value = 1; value <= 10_000; value += 1) histogram.record(value);
  expect(Math.abs(histogram.percentileMs(95) - 9500)).toBeLessThanOrEqual(9.5);
});

test('an empty histogram has no percentile', () => {
  expect(new LatencyHistogram().percentileMs(95)).toBeNaN();
});

test('a latency below zero is no latency: it is counted, never recorded', () => {
  const recorder = new Recorder();
  const latency = recorder.trend('latency_ms', { group: 'g' });
  for (const value of [-40, Number.NaN, 0, 25]) latency.record(value);
  const { trends, counters } = recorder.takeSlice();
  expect(LatencyHistogram.decode(trends['latency_ms{group=g}'] ?? '').count).toBe(2);
  expect(counters).toEqual({ 'latency_negative_total{group=g,metric=latency_ms}': 2 });
  const histogram = new LatencyHistogram();
  expect([histogram.record(-0.1), histogram.record(0), histogram.count]).toEqual([false, true, 1]);
});

test('a slice holds what happened since the last one; levels stay', () => {
  const recorder = new Recorder();
  const orders = recorder.counter('orders_total', {});
  const viewers = recorder.gauge('vus', {});
  orders.add();
  viewers.add(2);
  expect(recorder.takeSlice()).toMatchObject({ counters: { orders_total: 1 }, gauges: { vus: 2 } });
  expect(recorder.takeSlice()).toMatchObject({ counters: { orders_total: 0 }, gauges: { vus: 2 } });
});

test('running sessions hand in what they have when a slice is taken', () => {
  const recorder = new Recorder();
  const watched = recorder.counter('watched_ms_total', {});
  const stop = recorder.onFlush(() => watched.add(1000));
  expect(recorder.takeSlice().counters).toEqual({ watched_ms_total: 1000 });
  stop();
  expect(recorder.takeSlice().counters).toEqual({ watched_ms_total: 0 });
});

test('series without end are refused', () => {
  const recorder = new Recorder();
  for (let index = 0; index < SERIES_MAX; index += 1) recorder.counter('c', { id: String(index) });
  expect(() => recorder.counter('c', { id: 'one more' })).toThrow(SeriesLimitError);
  expect(() => recorder.counter('c', { id: '0' })).not.toThrow();
});

test('series are found by metric and tags', () => {
  const key = seriesKey('startup_ms', { group: 'viewers', actor: 'flv-viewer' });
  expect(key).toBe('startup_ms{actor=flv-viewer,group=viewers}');
  expect(parseSeriesKey(key)).toEqual({ metric: 'startup_ms', tags: { actor: 'flv-viewer', group: 'viewers' } });
  expect(matchesSeries(key, 'startup_ms', { group: 'viewers' })).toBe(true);
  expect(matchesSeries(key, 'startup_ms', { group: 'others' })).toBe(false);
  expect(matchesSeries('startup_ms_x', 'startup_ms')).toBe(false);
});
