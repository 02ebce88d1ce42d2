import {
  type Amf0Value,
  concatBytes,
  encodeAmf0,
  encodeFlvTag,
  encodeRtmpCommand,
  FlvTagType,
  RtmpMessageType,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { connectRtmpPublisher } from '@showfloor/rtmp-client';
import { describe, expect, test } from 'vitest';
import { ffmpegTo, gstreamerTo, hasGstreamer } from '../../test/encoders.ts';
import { type FlvWatcher, GOOD_KEY, hasFfmpeg, PlaneUnderTest, run, until } from '../../test/plane-under-test.ts';
import { AAC_FRAME, AAC_HEADER, AVC_HEADER, AVC_KEYFRAME, AVC_PICTURE, RawPeer } from '../../test/raw-peer.ts';

const fourCc = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
const times = (watcher: FlvWatcher, typeId: number): number[] =>
  watcher.tags.filter((tag) => tag.typeId === typeId).map((tag) => tag.timestampMs);

async function onAir(floor: PlaneUnderTest, playbackId: string): Promise<void> {
  await until(`${playbackId} on air`, () => floor.plane.hub.find(playbackId)?.state === 'live');
}

describe.skipIf(!hasFfmpeg())('ffmpeg', () => {
  test('B-frames: composition times reach the viewer, decode times go on by one frame across a return', async () => {
    await using floor = await PlaneUnderTest.start({ graceMs: 20_000 });
    const video = '-c:v libx264 -preset veryfast -bf 2 -b_strategy 0 -g 30 -pix_fmt yuv420p';
    const url = floor.rtmpUrl('show-bframes');
    await using first = ffmpegTo(url, { video, audio: 'none' });
    await onAir(floor, 'show-bframes');
    const watcher = floor.watch('show-bframes');
    await until('pictures', () => watcher.pictures.length > 45);
    await first.kill();
    await until('the interruption', () => floor.story.includes('interrupted'));
    const before = watcher.pictures.length;
    await using _second = ffmpegTo(url, { video, audio: 'none' });
    await until('pictures after the return', () => watcher.pictures.length > before + 45);
    const pictures = watcher.pictures.map((tag) => ({
      dtsMs: tag.timestampMs,
      ptsMs: tag.timestampMs + readFlvVideoHeader(tag.payload).compositionTimeMs,
    }));
    const steps = pictures.slice(1).map(({ dtsMs }, index) => dtsMs - (pictures[index]?.dtsMs ?? 0));
    expect([Math.min(...steps) > 0, Math.max(...steps) < 100]).toEqual([true, true]);
    const presented = pictures.map(({ ptsMs }) => ptsMs);
    expect(presented).not.toEqual(presented.toSorted((a, b) => a - b)); // reordered, so these are B-frames
    expect(new Set(presented).size).toBe(presented.length);
    expect(pictures.every(({ dtsMs, ptsMs }) => ptsMs >= dtsMs)).toBe(true);
  });

  test.each([
    ['picture without sound', { audio: 'none' }, ['h264']],
    ['sound without picture', { video: 'none' }, ['aac']],
  ])('%s is published and read back as such', async (_name, picture, codecs) => {
    await using floor = await PlaneUnderTest.start();
    await using _encoder = ffmpegTo(floor.rtmpUrl('show-track'), picture);
    await onAir(floor, 'show-track');
    const probe = await run('ffprobe', [
      ...'-v error -read_intervals %+1 -of csv=p=0 -show_entries stream=codec_name'.split(' '),
      floor.flvUrl('show-track'),
    ]);
    expect(probe.stdout.trim().split('\n')).toEqual(codecs);
  });

  test.each([
    ['MP3 sound', { audio: '-c:a libmp3lame -ar 44100' }, 'Not supported: MP3 sound.', 'unsupported_mp3'],
    [
      'H.263 pictures',
      { video: '-c:v flv1', size: '320x240' },
      'Not supported: This video codec.',
      'unsupported_video',
    ],
  ])('%s: the encoder is told so, and nothing goes on air', async (_name, picture, text, reason) => {
    await using floor = await PlaneUnderTest.start();
    await using encoder = ffmpegTo(floor.rtmpUrl('show-codec'), picture);
    await encoder.exited;
    expect(encoder.output).toContain(text);
    expect(await floor.metricsText()).toContain(`reason="ingest.${reason}"`);
  });
});

test.skipIf(!hasGstreamer())('GStreamer: picture and sound by openh264enc, voaacenc and rtmp2sink', async () => {
  await using floor = await PlaneUnderTest.start();
  await using encoder = gstreamerTo(floor.rtmpUrl('show-gst'));
  await until('the stream', () => floor.plane.hub.find('show-gst')?.state === 'live' || !encoder.isRunning);
  const watcher = floor.watch('show-gst');
  await until('pictures and sound', () => watcher.pictures.length > 60 && times(watcher, FlvTagType.audio).length > 60);
  const { avc, aac } = floor.plane.hub.find('show-gst')?.format ?? {};
  expect([avc?.sps.widthPx, avc?.sps.heightPx, aac?.sampleRateHz]).toEqual([320, 180, 44_100]);
  for (const typeId of [FlvTagType.video, FlvTagType.audio]) {
    const track = times(watcher, typeId).slice(1);
    expect(track).toEqual(track.toSorted((a, b) => a - b));
  }
  const spanMs = (watcher.pictures.at(-1)?.timestampMs ?? 0) - (watcher.pictures[0]?.timestampMs ?? 0);
  expect(spanMs / (watcher.pictures.length - 1)).toBeCloseTo(1000 / 30, 0);
});

test('the seller is told of a rival and of an encoder with the wrong settings; not of wrong keys', async () => {
  const told: string[] = [];
  await using floor = await PlaneUnderTest.start({
    onPublisherRefused: ({ playbackId, reason, text }) => told.push(`${playbackId} ${reason}: ${text}`),
  });
  await floor.onAir('show-told');
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const rival = await RawPeer.open(floor.plane.rtmpPort);
    await rival.publish('show-told');
    await until('the refusal', () => rival.isClosed);
  }
  await connectRtmpPublisher({ url: floor.rtmpUrl('show-told', 'guessed') });
  const peer = await RawPeer.open(floor.plane.rtmpPort);
  await peer.publish('show-told-2');
  peer.sendMedia('audio', [0x90, ...fourCc('Opus'), 1]);
  await until('the end', () => peer.isClosed);
  expect(told).toEqual([
    'show-told rival: Another encoder is on air with this key.',
    expect.stringMatching(/^show-told-2 ingest\.unsupported_opus: Not supported: Opus sound\. /),
  ]);
});

describe('what we do not take is refused by name', () => {
  test.each([
    ['AV1', 'video', [0x90, ...fourCc('av01'), 0x81, 0, 0, 0], 'AV1 video.', 'av1'],
    ['VP9', 'video', [0x90, ...fourCc('vp09'), 1, 0, 0, 0], 'VP9 video.', 'vp9'],
    ['an unknown FourCC', 'video', [0x91, ...fourCc('zzzz'), 1], 'This video codec.', 'video'],
    ['an extension', 'video', [0x97, 2, 0, 0, 0, ...fourCc('avc1')], 'ModEx', 'mod_ex'],
    ['several pictures', 'video', [0x96, 0x00, ...fourCc('avc1'), 0], 'Several tracks', 'multitrack'],
    ['Opus', 'audio', [0x90, ...fourCc('Opus'), 1], 'Opus sound.', 'opus'],
    ['several sounds', 'audio', [0x95, 0x00, ...fourCc('mp4a'), 0], 'Several tracks', 'multitrack'],
    ['Speex', 'audio', [0xb6, 0, 0], 'This audio codec.', 'audio'],
  ] as const)('%s', async (_name, track, payload, text, reason) => {
    await using floor = await PlaneUnderTest.start();
    const peer = await RawPeer.open(floor.plane.rtmpPort);
    await peer.publish('show-codec');
    peer.sendMedia(track, payload);
    await until('the end', () => peer.isClosed);
    expect(peer.statuses.at(-1)).toMatch(/^NetStream\.Publish\.Rejected: Not supported: .* Send /);
    expect(peer.statuses.at(-1)).toContain(text);
    expect(await floor.metricsText()).toContain(`reason="ingest.unsupported_${reason}"`);
    expect(floor.story).toEqual([]);
  });

  test('a publisher that returns with another codec leaves the show in its grace', async () => {
    await using floor = await PlaneUnderTest.start({ graceMs: 5_000 });
    const loop = await floor.onAir('show-change');
    await loop.stop();
    const peer = await RawPeer.open(floor.plane.rtmpPort);
    await peer.publish('show-change');
    peer.sendMedia('video', [0x90, ...fourCc('av01'), 0x81, 0, 0, 0]);
    await until('the end', () => peer.isClosed);
    expect(floor.story).toEqual(['started', 'interrupted']);
    await floor.onAir('show-change');
    expect(floor.story).toEqual(['started', 'interrupted', 'resumed']);
  });
});

describe('envelopes', () => {
  test('an aggregate message is taken apart: its parts keep their distances', async () => {
    await using floor = await PlaneUnderTest.start();
    const peer = await RawPeer.open(floor.plane.rtmpPort);
    await peer.publish('show-aggregate');
    const video = (payload: Uint8Array, timestampMs: number) =>
      encodeFlvTag({ typeId: FlvTagType.video, timestampMs, payload });
    const audio = (payload: Uint8Array, timestampMs: number) =>
      encodeFlvTag({ typeId: FlvTagType.audio, timestampMs, payload });
    const parts = [
      video(AVC_HEADER, 900),
      audio(AAC_HEADER, 900),
      video(AVC_KEYFRAME, 900),
      audio(AAC_FRAME, 910),
      video(AVC_PICTURE, 940),
    ];
    const aggregate = (timestampMs: number) => ({
      chunkStreamId: 4,
      typeId: RtmpMessageType.aggregate,
      messageStreamId: 1,
      timestampMs,
      payload: concatBytes(parts),
    });
    peer.send(aggregate(5_000));
    await onAir(floor, 'show-aggregate');
    const watcher = floor.watch('show-aggregate');
    await until('the first', () => watcher.pictures.length === 2);
    peer.send(aggregate(5_080));
    await until('both', () => watcher.pictures.length >= 4);
    expect(watcher.pictures.map((tag) => tag.timestampMs)).toEqual([0, 40, 80, 120]);
    expect(times(watcher, FlvTagType.audio).slice(1)).toEqual([10, 90]);
  });

  test('AMF3 envelopes around commands and metadata', async () => {
    await using floor = await PlaneUnderTest.start();
    const peer = await RawPeer.open(floor.plane.rtmpPort);
    const enveloped = (name: string, transactionId: number, ...args: Amf0Value[]) => {
      const command = encodeRtmpCommand({ name, transactionId, args });
      const payload = concatBytes([Uint8Array.of(0), command.payload]);
      peer.send({ ...command, typeId: RtmpMessageType.commandAmf3, payload });
    };
    enveloped('connect', 1, { app: 'live', tcUrl: 'rtmp://127.0.0.1/live', objectEncoding: 3 });
    enveloped('createStream', 2, null);
    enveloped('publish', 3, null, `show-amf3?key=${GOOD_KEY}`, 'live');
    await until('the publish', () => peer.statuses.length > 0);
    const metadata = concatBytes([Uint8Array.of(0), encodeAmf0('@setDataFrame', 'onMetaData', { width: 320 })]);
    const data = { chunkStreamId: 4, typeId: RtmpMessageType.dataAmf3, messageStreamId: 1, timestampMs: 0 };
    peer.send({ ...data, payload: metadata });
    peer.sendMedia('video', AVC_HEADER);
    peer.sendMedia('video', AVC_KEYFRAME);
    await onAir(floor, 'show-amf3');
    expect(peer.statuses[0]).toMatch(/^NetStream\.Publish\.Start/);
    const { metadata: kept } = floor.plane.hub.find('show-amf3')?.headers ?? {};
    expect(kept?.payload).toEqual(encodeAmf0('onMetaData', { width: 320 }));
  });
});

describe('a stream that starts without a keyframe', () => {
  test('with sound: it is on air, viewers begin with its first keyframe', async () => {
    await using floor = await PlaneUnderTest.start();
    const peer = await RawPeer.open(floor.plane.rtmpPort);
    await peer.publish('show-midway');
    peer.sendMedia('video', AVC_HEADER);
    peer.sendMedia('audio', AAC_HEADER);
    for (const timestampMs of [0, 40, 80]) {
      peer.sendMedia('video', AVC_PICTURE, timestampMs);
      peer.sendMedia('audio', AAC_FRAME, timestampMs);
    }
    await onAir(floor, 'show-midway');
    const watcher = floor.watch('show-midway');
    await until('the viewer', () => watcher.status === 200);
    peer.sendMedia('video', AVC_KEYFRAME, 120);
    peer.sendMedia('audio', AAC_FRAME, 130);
    peer.sendMedia('video', AVC_PICTURE, 160);
    await until('pictures', () => watcher.pictures.length === 2);
    expect(times(watcher, FlvTagType.audio).at(-1)).toBe(130);
    expect(watcher.pictures.map((tag) => tag.timestampMs)).toEqual([120, 160]);
    expect(await floor.metricsText()).toMatch(/media_keyframe_waits_total\{[^}]*\} 1/);
  });

  test('without sound it is not on air, and when no keyframe comes the encoder is told why it ends', async () => {
    await using floor = await PlaneUnderTest.start({ rtmpLimits: { keyframeTimeoutMs: 200 } });
    const peer = await RawPeer.open(floor.plane.rtmpPort);
    await peer.publish('show-midway');
    peer.sendMedia('video', AVC_HEADER);
    const sending = setInterval(() => peer.sendMedia('video', AVC_PICTURE), 20);
    await until('the end', () => peer.isClosed);
    clearInterval(sending);
    expect(peer.statuses.at(-1)).toMatch(/^NetStream\.Failed: No keyframe came\. Set the keyframe interval/);
    expect(floor.story).toEqual([]);
    expect(await floor.metricsText()).toContain('reason="no_keyframe"');
  });
});
