import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { FlvViewer, VIEWER_LIMITS } from './flv-viewer.ts';

const BUFFER = Buffer.alloc(10_000);
const limits = { ...VIEWER_LIMITS, backlogBytesLow: BUFFER.length, stuckMsMax: 10_000 };

/** A viewer whose end takes bytes only while `isReading`. */
function viewerWith(isReading: boolean) {
  let held: (() => void)[] = [];
  const sink = new Writable({
    highWaterMark: 1,
    write: (_bytes, _encoding, done) => {
      if (isReading) done();
      else held.push(done);
    },
  });
  const readAll = async (): Promise<void> => {
    isReading = true;
    const waiting = held;
    held = [];
    for (const done of waiting) done();
    if (sink.writableLength > 0) await once(sink, 'drain');
  };
  const viewer = new FlvViewer({ id: '1', ip: '', playbackId: 'show' }, sink as unknown as Socket);
  return { viewer, sink, readAll };
}

test('a viewer that does not read the end of its stream is cut', async () => {
  const { viewer, sink } = viewerWith(false);
  viewer.open(BUFFER, true);
  viewer.end(20);
  await once(sink, 'close');
});

test('a viewer that reads gets everything up to the end', async () => {
  const { viewer, sink, readAll } = viewerWith(false);
  viewer.open(BUFFER, true);
  viewer.end(60_000);
  await readAll();
  await once(sink, 'close');
  expect(sink.writableFinished).toBe(true);
});

test('a viewer that has read its queue is not stuck, however long the next keyframe takes', () => {
  const { viewer, sink, readAll } = viewerWith(false);
  const offer = (nowMs: number, entry: Buffer | null = null) =>
    viewer.offer(BUFFER, entry, { highBytes: 2 * BUFFER.length, limits, nowMs });
  viewer.open(Buffer.alloc(0), true);
  expect([offer(0), offer(1), offer(2), offer(3), offer(9_000)]).toEqual([
    'sent',
    'sent',
    'sent',
    'skip-began',
    'skipped',
  ]);
  void readAll();
  expect(sink.writableLength).toBe(0);
  expect([offer(9_100), offer(30_000), offer(30_033, Buffer.alloc(1))]).toEqual(['waiting', 'waiting', 'sent']);
});

test('a viewer that reads nothing while it skips is stuck', () => {
  const { viewer } = viewerWith(false);
  const offer = (nowMs: number) => viewer.offer(BUFFER, null, { highBytes: 2 * BUFFER.length, limits, nowMs });
  viewer.open(Buffer.alloc(0), true);
  expect([offer(0), offer(1), offer(2), offer(3), offer(10_004)]).toEqual([
    'sent',
    'sent',
    'sent',
    'skip-began',
    'stuck',
  ]);
});

test('a large join buffer is not added to the bound: who reads as fast as the stream comes never holds more than it', () => {
  const { viewer, sink } = viewerWith(false);
  const offer = () => viewer.offer(BUFFER, null, { highBytes: 2 * BUFFER.length, limits, nowMs: 0 });
  viewer.open(Buffer.alloc(5 * BUFFER.length), true);
  expect([offer(), offer(), offer()]).toEqual(['sent', 'sent', 'skip-began']);
  expect(sink.writableLength).toBe(7 * BUFFER.length); // the join buffer, the low mark and one round
});

test('the bound holds again once the join buffer has been read', async () => {
  const { viewer, sink, readAll } = viewerWith(false);
  const offer = () => viewer.offer(BUFFER, null, { highBytes: 2 * BUFFER.length, limits, nowMs: 0 });
  viewer.open(Buffer.alloc(5 * BUFFER.length), true);
  await readAll();
  sink.cork(); // what follows stays
  expect([offer(), offer(), offer(), offer()]).toEqual(['sent', 'sent', 'sent', 'skip-began']);
});
