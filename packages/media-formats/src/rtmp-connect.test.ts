import { describe, expect, test } from 'vitest';
import { Amf0EcmaArray, type Amf0Value, decodeAmf0All, encodeAmf0 } from './amf0.ts';
import { amf0BodyOffset, decodeRtmpCommand } from './rtmp-command.ts';
import { acceptsFourCc, enhancedRtmpProperties, readEnhancedRtmp, readRtmpConnect } from './rtmp-connect.ts';
import { type RtmpMessage, RtmpMessageType } from './rtmp-message.ts';

const message = (typeId: number, payload: Uint8Array): RtmpMessage => ({
  chunkStreamId: 3,
  typeId,
  messageStreamId: 0,
  timestampMs: 0,
  payload,
});
const connect = (info: Amf0Value) => ({ name: 'connect', transactionId: 1, args: [info] });

describe('connect', () => {
  test('a plain encoder', () => {
    const info = { app: 'live', type: 'nonprivate', flashVer: 'FMLE/3.0', tcUrl: 'rtmp://host/live' };
    expect(readRtmpConnect(connect(info))).toEqual({
      app: 'live',
      flashVer: 'FMLE/3.0',
      tcUrl: 'rtmp://host/live',
      objectEncoding: 0,
      enhanced: null,
    });
  });

  test('an encoder of Enhanced RTMP v1 lists codecs, one of v2 says what it can do with them', () => {
    const v1 = readEnhancedRtmp({ fourCcList: ['av01', 'hvc1', 7, 'toolong'] });
    expect([...(v1?.video ?? [])]).toEqual([
      ['av01', 7],
      ['hvc1', 7],
    ]);
    const v2 = readEnhancedRtmp({
      videoFourCcInfoMap: new Amf0EcmaArray({ '*': 4, hvc1: 2, odd: 'x' }),
      audioFourCcInfoMap: { mp4a: 2 },
      capsEx: 15,
    });
    expect(v2).toEqual({
      video: new Map([
        ['*', 4],
        ['hvc1', 2],
      ]),
      audio: new Map([['mp4a', 2]]),
      capsEx: 15,
    });
  });

  test.each<[string, Amf0Value]>([
    ['nothing', undefined],
    ['a text', 'live'],
    ['a list', [1, 2]],
    ['other types', { app: 5, tcUrl: null, objectEncoding: 'x', capsEx: 'y', fourCcList: {}, videoFourCcInfoMap: 1 }],
  ])('%s instead of an object is empty, not an error', (_name, info) => {
    expect(readRtmpConnect(connect(info))).toMatchObject({ app: '', tcUrl: '', objectEncoding: 0 });
  });

  test('what we answer says HEVC, AVC and AAC, and no extension; it survives the wire', () => {
    const [answer] = decodeAmf0All(encodeAmf0(enhancedRtmpProperties('server')));
    const read = readEnhancedRtmp(answer);
    expect(read?.capsEx).toBe(0);
    expect(['avc1', 'hvc1'].map((fourCc) => read?.video.get(fourCc))).toEqual([4, 4]);
    expect(read?.audio.get('mp4a')).toBe(4);
    expect([read?.video.has('av01'), read?.audio.has('Opus')]).toEqual([false, false]);
  });

  test.each([
    [null, 'avc1', true],
    [null, 'hvc1', false],
    [{ fourCcList: ['hvc1'] }, 'hvc1', true],
    [{ videoFourCcInfoMap: { hvc1: 2 } }, 'hvc1', false],
    [{ videoFourCcInfoMap: { '*': 4 } }, 'hvc1', true],
    [{ audioFourCcInfoMap: { mp4a: 1 } }, 'mp4a', true],
  ] as const)('a server that says %j takes %s: %s', (info, fourCc, expected) => {
    expect(acceptsFourCc(readEnhancedRtmp(info), fourCc)).toBe(expected);
  });
});

describe('AMF3 envelopes', () => {
  const body = encodeAmf0('connect', 1);
  const withByte = Uint8Array.of(0, ...body);

  test.each([
    ['AMF0 command', RtmpMessageType.commandAmf0, body, 0],
    ['AMF3 command', RtmpMessageType.commandAmf3, withByte, 1],
    ['AMF3 command without its format byte', RtmpMessageType.commandAmf3, body, 0],
    ['AMF3 data', RtmpMessageType.dataAmf3, withByte, 1],
  ])('%s', (_name, typeId, payload, offset) => {
    expect(amf0BodyOffset(message(typeId, payload))).toBe(offset);
    expect(decodeRtmpCommand(message(typeId, payload)).name).toBe('connect');
  });

  test.each([
    ['a body in AMF3', Uint8Array.of(3, 1, 2), 'rtmp.amf3_body'],
    ['an empty body', new Uint8Array(0), 'rtmp.amf3_body'],
    ['an AMF3 value among AMF0 values', Uint8Array.of(...withByte, 0x11, 0x0a, 0x0b, 1), 'amf0.amf3_value'],
  ])('refuses %s', (_name, payload, code) => {
    expect(() => decodeRtmpCommand(message(RtmpMessageType.commandAmf3, payload))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
