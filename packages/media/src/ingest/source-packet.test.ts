import { INGEST_TIME_SEI_UUID, type RtmpMessage, RtmpMessageType, readUserDataSei } from '@showfloor/media-formats';
import { expect, test } from 'vitest';
import { PacketSource } from './source-packet.ts';

const video = (...payload: number[]): RtmpMessage => ({
  chunkStreamId: 6,
  typeId: RtmpMessageType.video,
  messageStreamId: 1,
  timestampMs: 0,
  payload: Uint8Array.from(payload),
});
/** An AVC header with NAL lengths of `bytes`; its parameter set is cut short. */
const header = (bytes: number) => video(0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xfc | (bytes - 1), 0xe1, 0, 1, 0x67);

test.each([1, 2, 4] as const)('a parameter set we cannot read goes on; its NAL lengths of %i bytes count', (bytes) => {
  const source = new PacketSource(() => undefined);
  expect(source.read(header(bytes), 0)).toMatchObject({ kind: 'sequence-header', payload: header(bytes).payload });
  const length = [0, 0, 0, 2].slice(4 - bytes);
  const keyframe = source.read(video(0x17, 1, 0, 0, 0, ...length, 0x65, 1), 1_000);
  expect(
    readUserDataSei(keyframe?.payload.subarray(5) ?? new Uint8Array(), bytes, INGEST_TIME_SEI_UUID),
  ).not.toBeNull();
});

test('a header that is cut short goes on as it came', () => {
  const source = new PacketSource(() => undefined);
  expect(source.read(video(0x17, 0, 0, 0, 0), 0)).toMatchObject({ kind: 'sequence-header' });
  expect(source.read(video(0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 1), 0)?.payload.length).toBeGreaterThan(11);
});
