import { CAPTURE_TIME_SEI_UUID, encodeWallClockSei, INGEST_TIME_SEI_UUID } from '@showfloor/media-formats';
import { expect, test } from 'vitest';
import { readIngestMark } from './ingest-mark.ts';

const WALL_MS = 1_790_000_000_123;

test('the ingest stamp becomes a mark on the player time line', () => {
  const sei = { type: 5, uuid: INGEST_TIME_SEI_UUID, user_data: encodeWallClockSei(WALL_MS), pts: 4_200 };
  expect(readIngestMark(sei)).toEqual({ playerMs: 4_200, wallMs: WALL_MS });
});

test('capture stamps, other messages and cut payloads are no marks', () => {
  const stamp = encodeWallClockSei(WALL_MS);
  expect(readIngestMark({ type: 5, uuid: CAPTURE_TIME_SEI_UUID, user_data: stamp, pts: 1 })).toBeNull();
  expect(readIngestMark({ type: 4, pts: 1 })).toBeNull();
  expect(readIngestMark({ type: 5, uuid: INGEST_TIME_SEI_UUID, user_data: stamp.subarray(0, 3), pts: 1 })).toBeNull();
  expect(readIngestMark({ type: 5, uuid: INGEST_TIME_SEI_UUID, user_data: stamp })).toBeNull();
});
