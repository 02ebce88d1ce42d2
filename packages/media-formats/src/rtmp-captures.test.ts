import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAvcConfig } from './avc-config.ts';
import { iterateAvcNals } from './avc-nal.ts';
import { readFlvAudioHeader, readFlvVideoHeader } from './flv-media-header.ts';
import { RtmpChunkReader } from './rtmp-chunk-reader.ts';
import { decodeRtmpCommand } from './rtmp-command.ts';
import { readRtmpConnect } from './rtmp-connect.ts';
import { findClientDigest } from './rtmp-digest.ts';
import { RTMP_C0C1_BYTES, RTMP_C2_BYTES } from './rtmp-handshake.ts';
import { type RtmpMessage, RtmpMessageType } from './rtmp-message.ts';

/** What a publisher sent, from its first byte: see fixtures/README.md. */
const capture = (name: string) => new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));

function read(name: string, cutBytes = 65_536): RtmpMessage[] {
  const input = capture(name).subarray(RTMP_C0C1_BYTES + RTMP_C2_BYTES);
  const reader = new RtmpChunkReader();
  const messages: RtmpMessage[] = [];
  for (let from = 0; from < input.length; from += cutBytes) {
    reader.push(input.subarray(from, from + cutBytes), (message) => messages.push(message));
  }
  expect(reader.pendingBytes).toBe(0);
  return messages;
}

const ofType = (messages: readonly RtmpMessage[], typeId: number) =>
  messages.filter((message) => message.typeId === typeId);
const frames = (messages: readonly RtmpMessage[]) =>
  ofType(messages, RtmpMessageType.video).filter(({ payload }) => readFlvVideoHeader(payload).kind === 'frames');

describe('recorded publishers', () => {
  test.each([
    [
      'ffmpeg-publish.rtmp',
      { commands: 'connect releaseStream FCPublish createStream publish', frames: 50, sounds: 88 },
    ],
    [
      'gstreamer-publish.rtmp',
      { commands: 'connect releaseStream FCPublish createStream publish', frames: 50, sounds: 88 },
    ],
    ['ffmpeg-late.rtmp', { commands: 'connect releaseStream FCPublish createStream publish', frames: 50, sounds: 0 }],
    ['librtmp-late.rtmp', { commands: 'connect releaseStream FCPublish createStream publish', frames: 50, sounds: 0 }],
  ])('%s: commands, every frame, whatever the cut', (name, expected) => {
    const messages = read(name);
    for (const cutBytes of [1, 7, 128, 1_449]) expect(read(name, cutBytes)).toEqual(messages);
    const commands = ofType(messages, RtmpMessageType.commandAmf0).map(decodeRtmpCommand);
    expect(commands.map((command) => command.name).join(' ')).toBe(`${expected.commands} FCUnpublish deleteStream`);
    expect(commands[0] && readRtmpConnect(commands[0])).toMatchObject({ app: 'live', enhanced: null });
    expect(commands.find((command) => command.name === 'publish')?.args[1]).toBe('demo?key=fixture');
    expect(frames(messages)).toHaveLength(expected.frames);
    const sounds = ofType(messages, RtmpMessageType.audio).map(({ payload }) => readFlvAudioHeader(payload));
    expect(sounds.filter(({ kind }) => kind === 'frames')).toHaveLength(expected.sounds);
  });

  test.each(['ffmpeg-publish.rtmp', 'gstreamer-publish.rtmp', 'ffmpeg-late.rtmp', 'librtmp-late.rtmp'])(
    '%s: the pictures are whole',
    (name) => {
      const [header] = ofType(read(name), RtmpMessageType.video);
      const { sps, nalLengthSize } = parseAvcConfig(header?.payload.subarray(5) ?? new Uint8Array(0));
      expect([sps.widthPx, sps.heightPx, nalLengthSize]).toEqual([160, 90, 4]);
      for (const { payload } of frames(read(name))) {
        const types = [...iterateAvcNals(payload.subarray(5), 4)].map((nal) => nal.type);
        expect(types.at(-1)).toBe(readFlvVideoHeader(payload).isKeyframe ? 5 : 1);
      }
    },
  );

  test('timestamps go on over 24 bits, in the words of ffmpeg and of librtmp', () => {
    const times = Array.from({ length: 50 }, (_, index) => 16_776_200 + index * 40);
    expect(times.filter((timeMs) => timeMs >= 0xff_ff_ff)).toHaveLength(24);
    for (const name of ['ffmpeg-late.rtmp', 'librtmp-late.rtmp']) {
      expect(frames(read(name)).map((message) => message.timestampMs)).toEqual(times);
    }
    const payloads = (name: string) => frames(read(name)).map((message) => message.payload);
    expect(payloads('librtmp-late.rtmp')).toEqual(payloads('ffmpeg-late.rtmp'));
  });

  test.each([
    ['ffmpeg-publish.rtmp', 0],
    ['gstreamer-publish.rtmp', undefined],
    ['librtmp-late.rtmp', undefined],
  ])('%s: the digest of its handshake (scheme %s)', (name, scheme) => {
    expect(findClientDigest(capture(name).subarray(1, RTMP_C0C1_BYTES))?.scheme).toBe(scheme);
  });
});
