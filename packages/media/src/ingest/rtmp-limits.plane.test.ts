import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  encodeAmf0,
  encodeRtmpCommand,
  RTMP_S0S1S2_BYTES,
  RtmpChunkWriter,
  type RtmpMessage,
  RtmpMessageType,
  RtmpUserControl,
  startRtmpHandshake,
  userControl,
} from '@showfloor/media-formats';
import { connectRtmpPublisher } from '@showfloor/rtmp-client';
import { describe, expect, test } from 'vitest';
import { admitGoodKey, CLIP, GOOD_KEY, metricOf, PlaneUnderTest, until } from '../../test/plane-under-test.ts';
import type { Admit } from './admission.ts';
import { RTMP_LIMITS } from './rtmp-limits.ts';

/** A peer that is past the handshake and says what it likes. */
async function rawPeer(floor: PlaneUnderTest): Promise<{
  socket: Socket;
  send: (message: RtmpMessage) => void;
  isClosed: () => boolean;
  answeredBytes: () => number;
}> {
  const socket = connect({ host: '127.0.0.1', port: floor.plane.rtmpPort });
  const writer = new RtmpChunkWriter();
  let isClosed = false;
  socket.on('close', () => {
    isClosed = true;
  });
  socket.on('error', () => undefined); // reset by the server: what the tests wait for
  await once(socket, 'connect');
  socket.write(startRtmpHandshake(new Uint8Array(1528)));
  let received = 0;
  socket.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  await until('the handshake', () => received >= RTMP_S0S1S2_BYTES);
  socket.write(new Uint8Array(1536));
  return {
    socket,
    send: (message) => socket.write(writer.write(message)),
    isClosed: () => isClosed,
    answeredBytes: () => received - RTMP_S0S1S2_BYTES,
  };
}

async function endsFor(floor: PlaneUnderTest, reason: string): Promise<void> {
  await until(`an end for ${reason}`, async () => (await floor.metricsText()).includes(`reason="${reason}"`));
}

const connectCommand = (app: string) =>
  encodeRtmpCommand({ name: 'connect', transactionId: 1, args: [{ app, tcUrl: 'rtmp://127.0.0.1/live' }] });
const publishCommand = (name: string) =>
  encodeRtmpCommand({ name: 'publish', transactionId: 5, args: [null, name, 'live'] }, 1);

describe('S2 limits of a publisher connection', () => {
  test('the handshake must come in time', async () => {
    await using floor = await PlaneUnderTest.start({ rtmpLimits: { handshakeTimeoutMs: 100 } });
    const socket = connect({ host: '127.0.0.1', port: floor.plane.rtmpPort });
    await once(socket, 'close');
    await endsFor(floor, 'handshake_timeout');
  });

  test('a publish must follow the handshake, and media the publish', async () => {
    await using floor = await PlaneUnderTest.start({ rtmpLimits: { firstPacketTimeoutMs: 150 } });
    const idle = await rawPeer(floor);
    await until('the idle one to be closed', idle.isClosed);
    const silent = await rawPeer(floor);
    silent.send(connectCommand('live'));
    silent.send(publishCommand(`show-silent?key=${GOOD_KEY}`));
    await until('the silent one to be closed', silent.isClosed);
    await endsFor(floor, 'no_publish');
    await endsFor(floor, 'no_media');
    expect(floor.story).toEqual([]);
  });

  test('a publisher on air that falls silent is interrupted', async () => {
    await using floor = await PlaneUnderTest.start({ rtmpLimits: { silenceTimeoutMs: 200 } });
    const peer = await rawPeer(floor);
    peer.send(connectCommand('live'));
    peer.send(publishCommand(`show-quiet?key=${GOOD_KEY}`));
    const picture = Uint8Array.of(0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 1);
    peer.send({
      chunkStreamId: 6,
      typeId: RtmpMessageType.video,
      messageStreamId: 1,
      timestampMs: 0,
      payload: picture,
    });
    await until('the interruption', () => floor.story.includes('interrupted'));
    expect(floor.events.map((event) => [event.type, event.reason])).toEqual([
      ['started', undefined],
      ['interrupted', 'silent'],
    ]);
  });

  test('a parameter set that we cannot read does not end the publisher', async () => {
    await using floor = await PlaneUnderTest.start();
    const peer = await rawPeer(floor);
    peer.send(connectCommand('live'));
    peer.send(publishCommand(`show-odd?key=${GOOD_KEY}`));
    for (const payload of [
      Uint8Array.of(0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 1, 0x67),
      Uint8Array.of(0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 1),
    ]) {
      peer.send({ chunkStreamId: 6, typeId: RtmpMessageType.video, messageStreamId: 1, timestampMs: 0, payload });
    }
    await until('the stream', () => floor.plane.hub.find('show-odd')?.state === 'live');
    expect(peer.isClosed()).toBe(false);
    expect(metricOf(await floor.metricsText(), 'media_unreadable_headers_total')).toBe(1);
  });

  test.each([
    ['a message over 64 KB before the key is checked', 65_537, 'rtmp.message_too_large'],
    ['an AMF value nested too deep', 0, 'amf0.too_deep'],
  ])('%s ends the session', async (_name, bytes, reason) => {
    await using floor = await PlaneUnderTest.start();
    const peer = await rawPeer(floor);
    const deep = new Uint8Array(5 * 40).map((_, index) => (index % 5 === 0 ? 0x0a : index % 5 === 4 ? 1 : 0));
    const payload = bytes > 0 ? new Uint8Array(bytes) : Uint8Array.of(...encodeAmf0('connect', 1), ...deep);
    peer.send({ chunkStreamId: 3, typeId: RtmpMessageType.commandAmf0, messageStreamId: 0, timestampMs: 0, payload });
    await until('the end', peer.isClosed);
    await endsFor(floor, reason);
  });

  test('unfinished messages before the key is checked hold 64 KB at most', async () => {
    await using floor = await PlaneUnderTest.start();
    const peer = await rawPeer(floor);
    // Ten chunk streams, each with a first chunk of 8 KB of an unfinished 60 KB message.
    const writer = new RtmpChunkWriter();
    peer.socket.write(writer.setChunkSize(8_192));
    for (let id = 3; id < 13; id += 1) {
      const header = Buffer.from([id, 0, 0, 0, 0, 0xea, 0x60, 9, 1, 0, 0, 0]);
      peer.socket.write(Buffer.concat([header, Buffer.alloc(8_192)]));
    }
    await until('the end', peer.isClosed);
    await endsFor(floor, 'rtmp.too_many_pending_bytes');
    expect(RTMP_LIMITS.unauthenticated.pendingBytesMax).toBe(65_536);
  });

  test('a message over 8 MB ends an admitted publisher', async () => {
    await using floor = await PlaneUnderTest.start();
    const peer = await rawPeer(floor);
    peer.send(connectCommand('live'));
    peer.send(publishCommand(`show-large?key=${GOOD_KEY}`));
    await until('the admission', async () => metricOf(await floor.metricsText(), 'media_publishers') === 1);
    const payload = new Uint8Array(8 * 1024 * 1024 + 1);
    peer.send({ chunkStreamId: 6, typeId: RtmpMessageType.video, messageStreamId: 1, timestampMs: 0, payload });
    await until('the end', peer.isClosed);
    await endsFor(floor, 'rtmp.message_too_large');
  });

  test('a publisher that does not read its answers is cut before they fill memory', async () => {
    await using floor = await PlaneUnderTest.start({ rtmpLimits: { firstPacketTimeoutMs: 60_000 } });
    const peer = await rawPeer(floor);
    peer.send(connectCommand('live'));
    peer.send(publishCommand(`show-deaf?key=${GOOD_KEY}`));
    await until('the admission', async () => metricOf(await floor.metricsText(), 'media_publishers') === 1);
    peer.socket.pause();
    // The kernel takes some MB of answers before ours wait in the process.
    const writer = new RtmpChunkWriter();
    const pings = Buffer.concat(
      Array.from({ length: 20_000 }, (_, at) => writer.write(userControl(RtmpUserControl.pingRequest, at))),
    );
    await until(
      'the end',
      async () => {
        if (peer.socket.writableLength === 0) peer.socket.write(pings);
        return (await floor.metricsText()).includes('reason="not_reading"');
      },
      50_000,
    );
    expect(metricOf(await floor.metricsText(), 'media_publishers')).toBe(0);
  });

  test.each([
    ['commands', encodeRtmpCommand({ name: 'createStream', transactionId: 4, args: [null] })],
    ['pings', userControl(RtmpUserControl.pingRequest, 1)],
  ])('before the publish a peer may ask for 64 answers, not for more %s', async (_name, question) => {
    await using floor = await PlaneUnderTest.start();
    const peer = await rawPeer(floor);
    peer.send(connectCommand('live'));
    for (let asked = 1; asked < RTMP_LIMITS.questionsMax; asked += 1) peer.send(question);
    await until('the last answer', () => peer.answeredBytes() > 64 * 8 && peer.socket.writableLength === 0);
    expect(await floor.metricsText()).not.toContain('rtmp.too_many_questions');
    peer.send(question);
    await until('the end', peer.isClosed);
    await endsFor(floor, 'rtmp.too_many_questions');
  });

  test('idle connections of one network do not keep publishers out', async () => {
    await using floor = await PlaneUnderTest.start({ waitingPeers: { loopbackMax: 3 } });
    for (let show = 1; show <= 2; show += 1) await floor.onAir(`show-busy-${show}`); // those on air do not count
    const idle = await Promise.all([rawPeer(floor), rawPeer(floor), rawPeer(floor)]);
    const over = connect({ host: '127.0.0.1', port: floor.plane.rtmpPort });
    over.on('error', () => undefined); // reset
    await once(over, 'close');
    await endsFor(floor, 'too_many_waiting');
    expect(idle.some((peer) => peer.isClosed())).toBe(false);
    idle[0]?.socket.destroy();
    await until('room again', async () => {
      const result = await connectRtmpPublisher({ url: floor.rtmpUrl('show-busy-3') });
      if (result.ok) result.publisher.close();
      return result.ok;
    });
  });

  test('bytes that are not RTMP, another app, and a player are turned away', async () => {
    await using floor = await PlaneUnderTest.start();
    const stray = connect({ host: '127.0.0.1', port: floor.plane.rtmpPort }, () =>
      stray.write(`GET / HTTP/1.1\r\n${'x'.repeat(1600)}`),
    );
    stray.on('error', () => undefined); // reset
    stray.resume();
    await once(stray, 'close');
    const other = await rawPeer(floor);
    other.send(connectCommand('vod'));
    await until('the end', other.isClosed);
    const player = await rawPeer(floor);
    player.send(connectCommand('live'));
    player.send(encodeRtmpCommand({ name: 'play', transactionId: 4, args: [null, 'show-x'] }, 1));
    await until('the end', player.isClosed);
    for (const reason of ['rtmp.handshake_version', 'invalid_app', 'play_refused']) await endsFor(floor, reason);
  });

  test('ten refused publishes in a minute block the address: the hook is not asked again', async () => {
    const asked: string[] = [];
    const admit: Admit = (request) => {
      asked.push(request.key);
      return admitGoodKey(request);
    };
    await using floor = await PlaneUnderTest.start({ admit, guardLimits: { blockMs: 300 } });
    for (let attempt = 0; attempt < 10; attempt += 1) await expectDenied(floor, 'show-guess', `guess-${attempt}`);
    asked.length = 0;
    await expectDenied(floor, 'show-guess', GOOD_KEY);
    expect(asked).toEqual([]);
    await until('the block to end', async () => {
      const result = await connectRtmpPublisher({ url: floor.rtmpUrl('show-guess') });
      if (result.ok) result.publisher.close();
      return result.ok;
    });
  });

  test('a blocked address still publishes with the key that was last good, on any connection', async () => {
    await using floor = await PlaneUnderTest.start();
    const loop = await floor.onAir('show-known');
    await loop.stop();
    const early = await rawPeer(floor); // opened before the block
    for (let attempt = 0; attempt < 10; attempt += 1) await expectDenied(floor, 'show-known', `guess-${attempt}`);
    await expectDenied(floor, 'show-known', 'guess-again');
    await expectDenied(floor, 'show-other', GOOD_KEY);
    early.send(connectCommand('live'));
    early.send(publishCommand('show-known?key=guess-early'));
    await until('the refusal', early.isClosed);
    await endsFor(floor, 'refused_blocked');
    await floor.onAir('show-known');
    expect(floor.story).toEqual(['started', 'interrupted', 'resumed']);
  });
});

async function expectDenied(floor: PlaneUnderTest, playbackId: string, key: string): Promise<void> {
  const result = await connectRtmpPublisher({ url: floor.rtmpUrl(playbackId, key) });
  expect(result).toEqual({ ok: false, reason: 'denied', statusCode: 'NetStream.Publish.Denied' });
}

describe('while the publish hook is unreachable', () => {
  test('the last accepted key may publish again, no other may, and nobody is blocked for it', async () => {
    let isReachable = true;
    const admit: Admit = (request) =>
      isReachable ? admitGoodKey(request) : Promise.resolve({ ok: false, reason: 'unreachable' });
    await using floor = await PlaneUnderTest.start({ admit, rivalWindowMs: 0 });
    const loop = await floor.onAir('show-memory');
    isReachable = false;
    await loop.stop();
    await floor.onAir('show-memory');
    await until('the return', () => floor.story.includes('resumed'));
    const wrong = await connectRtmpPublisher({ url: floor.rtmpUrl('show-memory', 'another') });
    expect(wrong).toMatchObject({ ok: false, reason: 'failed' });
    expect(await connectRtmpPublisher({ url: floor.rtmpUrl('show-new') })).toMatchObject({
      ok: false,
      reason: 'failed',
    });
    expect(await floor.metricsText()).toContain('outcome="accepted_from_memory"');
  });

  test('a key is forgotten with the end of its stream', async () => {
    let isReachable = true;
    const admit: Admit = (request) =>
      isReachable ? admitGoodKey(request) : Promise.resolve({ ok: false, reason: 'unreachable' });
    await using floor = await PlaneUnderTest.start({ admit, graceMs: 50 });
    const loop = await floor.onAir('show-over');
    isReachable = false;
    await loop.stop();
    await until('the end', () => floor.story.includes('ended'));
    expect(await connectRtmpPublisher({ url: floor.rtmpUrl('show-over') })).toMatchObject({ reason: 'failed' });
  });

  test('a hook that answers late does not lose what the encoder has sent meanwhile', async () => {
    let release: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const admit: Admit = async (request) => {
      await asked;
      return admitGoodKey(request);
    };
    await using floor = await PlaneUnderTest.start({ admit });
    const loop = floor.publish('show-late', GOOD_KEY, CLIP);
    await until('the question', async () => metricOf(await floor.metricsText(), 'media_received_bytes_total') > 3_000);
    expect(floor.plane.hub.find('show-late')).toBeUndefined();
    release();
    await until('the stream', () => floor.plane.hub.find('show-late')?.state === 'live');
    expect(loop.states.at(-1)?.kind).toBe('publishing');
  });
});
