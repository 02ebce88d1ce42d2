import { expect, test } from 'vitest';
import { Recorder } from '../metrics/recorder.ts';
import { SliceMerger } from '../metrics/slice.ts';
import { describePublishing, summarisePublishing } from './publish-summary.ts';
import { createPublisherMetrics } from './publisher-metrics.ts';
import { StreamFigures } from './stream-figures.ts';

function summaryOf(play: (streams: StreamFigures[]) => void) {
  const recorder = new Recorder();
  const metrics = createPublisherMetrics(recorder, 'own');
  play([new StreamFigures(metrics), new StreamFigures(metrics)]);
  const series = new SliceMerger();
  series.add(recorder.takeSlice());
  return summarisePublishing(series, 2);
}

test('a publish that breaks off is timed until it is taken again, however often it is refused meanwhile', () => {
  const summary = summaryOf(([stream]) => {
    stream?.attempt();
    stream?.accepted(1000, 20);
    expect(stream?.failed(5000, 'closed')).toBe('lost');
    expect(stream?.failed(6000, 'unreachable')).toBe('refused');
    stream?.accepted(8000, 30);
  });
  expect(summary).toMatchObject({ onAir: 1, accepted: 2, losses: 1, refusals: 1 });
  expect(summary.republishMs?.max).toBeCloseTo(3000, -1);
  expect(summary.connectMs?.count).toBe(2);
});

test('stopping on purpose is no loss, and the way back is not timed', () => {
  const summary = summaryOf(([stream]) => {
    stream?.accepted(1000, 20);
    stream?.stopped();
    stream?.accepted(9000, 20);
  });
  expect(summary).toMatchObject({ onAir: 1, losses: 0, republishMs: null });
});

test('backlog is a level over all streams, dropped tags are counted once', () => {
  const summary = summaryOf(([first, second]) => {
    first?.accepted(0, 1);
    second?.accepted(0, 1);
    first?.sent({ pacingErrorMs: 5, backlogBytes: 4096, droppedTags: 2 });
    first?.sent({ pacingErrorMs: 50, backlogBytes: 1024, droppedTags: 3 });
    second?.sent({ pacingErrorMs: 1, backlogBytes: 1024, droppedTags: 0 });
  });
  expect(summary).toMatchObject({ onAir: 2, backlogBytes: 2048, droppedTags: 3 });
  expect(describePublishing(summary)).toMatch(/pacing error p95 50 ms, worst 50 ms.*backlog 2 KiB · 3 tags dropped/);
});

test('a stream that went off the air has no backlog', () => {
  const summary = summaryOf(([stream]) => {
    stream?.accepted(0, 1);
    stream?.sent({ pacingErrorMs: 1, backlogBytes: 9999, droppedTags: 0 });
    stream?.failed(10, 'stalled');
  });
  expect(summary).toMatchObject({ onAir: 0, backlogBytes: 0 });
});
