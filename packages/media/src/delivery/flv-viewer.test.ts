import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { FlvViewer } from './flv-viewer.ts';

const BUFFER = Buffer.alloc(10_000);

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
