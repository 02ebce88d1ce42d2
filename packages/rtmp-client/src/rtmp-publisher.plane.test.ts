import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import {
  acknowledgement,
  answerRtmpHandshake,
  decodeAmf0All,
  decodeRtmpCommand,
  encodeAmf0,
  encodeRtmpCommand,
  RTMP_C0C1_BYTES,
  RTMP_C2_BYTES,
  RtmpChunkReader,
  RtmpChunkWriter,
  type RtmpMessage,
  RtmpMessageType,
  setPeerBandwidth,
  userControl,
} from '@showfloor/media-formats';
import { describe, expect, test } from 'vitest';
import { type PublishLoopState, type PublishLoopStats, publishFlvLoop } from './publish-flv-loop.ts';
import { connectRtmpPublisher } from './rtmp-publisher.ts';

const CLIP = new Uint8Array(readFileSync(new URL('../../media-formats/fixtures/avc-aac-320x180.flv', import.meta.url)));

const pem = (name: string): string =>
  readFileSync(new URL(`../../service-kit/fixtures/live.example.${name}.pem`, import.meta.url), 'utf8');

async function until(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(10);
  }
}

/** A server that does what a test tells it: accepts, refuses with a code, or says nothing. */
class Sink implements AsyncDisposable {
  readonly media: RtmpMessage[] = [];
  readonly commands: string[] = [];
  connections = 0;
  /** Status code of the answer to `publish`; null: no answer. */
  answer: string | null = 'NetStream.Publish.Start';
  /** False: what comes is left in the socket. */
  isReading = true;
  /** What `connect` said. */
  tcUrl: unknown = null;
  /** The name that TLS was asked for. */
  servername: unknown = null;
  acknowledges = false;
  windowBytes: number | null = null;
  readonly metadata: unknown[] = [];
  /** After the answer to `publish`: asks without end, and reads none of the answers. */
  floods = false;
  /** After the answer to `publish`: says things that need no answer, without end. */
  chatters = false;
  /** `connect` is refused with this address to go to instead. */
  redirect: string | null = null;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(options: { isTls?: boolean } = {}) {
    this.#server =
      options.isTls === true
        ? createTlsServer({ cert: pem('cert'), key: pem('key') }, (socket) => {
            this.servername = (socket as { servername?: unknown }).servername;
            this.#serve(socket);
          })
        : createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `rtmp://127.0.0.1:${(this.#server.address() as AddressInfo).port}/live/demo?key=s3`;
  }

  /** Sends bytes as they are. */
  say(bytes: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  /** Breaks all connections. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('error', () => undefined); // the publisher left
    const reader = new RtmpChunkReader();
    const writer = new RtmpChunkWriter();
    let opening = Buffer.alloc(0);
    let isOpen = false;
    socket.on('data', (bytes: Buffer) => {
      if (isOpen) {
        reader.push(bytes, (message) => this.#handle(socket, writer, message));
        return;
      }
      const hadC0C1 = opening.length >= RTMP_C0C1_BYTES;
      opening = Buffer.concat([opening, bytes]);
      if (!hadC0C1 && opening.length >= RTMP_C0C1_BYTES) {
        socket.write(answerRtmpHandshake(opening.subarray(0, RTMP_C0C1_BYTES), new Uint8Array(1528)));
      }
      const length = RTMP_C0C1_BYTES + RTMP_C2_BYTES;
      if (opening.length < length) return;
      isOpen = true;
      reader.push(opening.subarray(length), (message) => this.#handle(socket, writer, message));
    });
  }

  #handle(socket: Socket, writer: RtmpChunkWriter, message: RtmpMessage): void {
    if (message.typeId === RtmpMessageType.windowAcknowledgementSize) {
      this.windowBytes = new DataView(message.payload.buffer, message.payload.byteOffset).getUint32(0);
    }
    if (message.typeId === RtmpMessageType.dataAmf0) {
      this.metadata.push(...decodeAmf0All(message.payload).slice(0, 2));
      if (this.acknowledges) socket.write(writer.write(acknowledgement(4_711)));
    }
    if (message.typeId !== RtmpMessageType.commandAmf0) {
      if (message.typeId === RtmpMessageType.audio || message.typeId === RtmpMessageType.video)
        this.media.push(message);
      return;
    }
    const { name, transactionId, args } = decodeRtmpCommand(message);
    this.commands.push(name);
    if (name === 'connect') this.tcUrl = (args[0] as { tcUrl?: unknown }).tcUrl;
    if (name === 'connect' && this.acknowledges) socket.write(writer.write(setPeerBandwidth(250_000)));
    const send = (command: string, ...args: Parameters<typeof encodeRtmpCommand>[0]['args']): boolean =>
      socket.write(writer.write(encodeRtmpCommand({ name: command, transactionId, args })));
    if (name === 'connect' && this.redirect !== null) {
      const ex = { code: 302, redirect: this.redirect };
      send('_error', null, { level: 'error', code: 'NetConnection.Connect.Rejected', description: this.redirect, ex });
      return;
    }
    if (name === 'releaseStream') send('_error', null, { level: 'error', code: 'NetConnection.Call.Failed' });
    if (name === 'connect') send('_result', {}, { level: 'status', code: 'NetConnection.Connect.Success' });
    if (name === 'createStream') send('_result', null, 1);
    if (name !== 'publish' || this.answer === null) return;
    send('onStatus', null, { level: this.answer.endsWith('Start') ? 'status' : 'error', code: this.answer });
    if (!this.isReading) socket.pause();
    if (this.floods) this.#flood(socket, writer, userControl(6, 1));
    if (this.chatters) this.#flood(socket, writer, userControl(0, 1));
  }

  #flood(socket: Socket, writer: RtmpChunkWriter, message: ReturnType<typeof userControl>): void {
    socket.pause();
    const pings = Buffer.concat(Array.from({ length: 5_000 }, () => writer.write(message)));
    const more = (): void => {
      while (!socket.destroyed && socket.write(pings));
      if (!socket.destroyed) socket.once('drain', more);
    };
    more();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('publishing', () => {
  test.each([
    ['NetStream.Publish.BadName', 'bad_name'],
    ['NetStream.Publish.Denied', 'denied'],
    ['NetStream.Failed', 'failed'],
  ])('%s is told as %s', async (statusCode, reason) => {
    await using sink = new Sink();
    sink.answer = statusCode;
    expect(await connectRtmpPublisher({ url: await sink.listen() })).toEqual({ ok: false, reason, statusCode });
  });

  test('no answer, no server, and an abort are told apart', async () => {
    await using sink = new Sink();
    sink.answer = null;
    const url = await sink.listen();
    expect(await connectRtmpPublisher({ url, connectTimeoutMs: 200 })).toEqual({ ok: false, reason: 'timeout' });
    expect(await connectRtmpPublisher({ url, signal: AbortSignal.timeout(50) })).toEqual({
      ok: false,
      reason: 'aborted',
    });
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    expect(await connectRtmpPublisher({ url: `rtmp://127.0.0.1:${port}/live/x` })).toEqual({
      ok: false,
      reason: 'unreachable',
    });
  });

  test('a server that does not read: the backlog is bounded, tags go until a keyframe fits again', async () => {
    await using sink = new Sink();
    sink.isReading = false;
    const result = await connectRtmpPublisher({ url: await sink.listen(), backlogBytesMax: 100_000 });
    if (!result.ok) throw new Error(result.reason);
    const { publisher } = result;
    const picture = (isKeyframe: boolean) => {
      const payload = new Uint8Array(50_000);
      payload.set([isKeyframe ? 0x17 : 0x27, 1]);
      return { typeId: 9 as const, timestampMs: 0, payload };
    };
    for (let index = 0; index < 400; index += 1) {
      publisher.send(picture(index % 10 === 0));
      await sleep(0);
    }
    expect(publisher.stats.backlogBytes).toBeLessThan(100_000 + 2 * 50_100);
    expect(publisher.stats.droppedTags).toBeGreaterThan(100);
    publisher.close();
    expect(await publisher.closed).toBe('aborted');
  });

  test('a server that asks without end and reads no answer is let go', async () => {
    await using sink = new Sink();
    sink.floods = true;
    const result = await connectRtmpPublisher({ url: await sink.listen(), backlogBytesMax: 100_000 });
    if (!result.ok) throw new Error(result.reason);
    expect(await result.publisher.closed).toBe('protocol');
    expect(result.publisher.stats.backlogBytes).toBeLessThan(400_000);
  });

  test('a server that talks without end is let go: each of its messages is work for the process of all shows', async () => {
    await using sink = new Sink();
    sink.chatters = true;
    const result = await connectRtmpPublisher({ url: await sink.listen() });
    if (!result.ok) throw new Error(result.reason);
    expect(await Promise.race([result.publisher.closed, sleep(3_000, 'still open')])).toBe('protocol');
  });

  test('a redirect is a refusal: nobody has vetted where it leads', async () => {
    await using sink = new Sink();
    await using inside = new Sink();
    sink.redirect = await inside.listen();
    expect(await connectRtmpPublisher({ url: await sink.listen() })).toEqual({
      ok: false,
      reason: 'rejected',
      statusCode: 'NetConnection.Connect.Rejected',
    });
    await sleep(50);
    expect(inside.connections).toBe(0);
  });

  test('a server that does not read, and headers without end: what waits is bounded', async () => {
    await using sink = new Sink();
    sink.isReading = false;
    const result = await connectRtmpPublisher({ url: await sink.listen(), backlogBytesMax: 100_000 });
    if (!result.ok) throw new Error(result.reason);
    const { publisher } = result;
    const payload = new Uint8Array(50_000);
    payload.set([0x17, 0]); // AVC sequence header
    let backlogBytes = 0;
    for (let index = 0; index < 400; index += 1) {
      publisher.send({ typeId: 9, timestampMs: 0, payload });
      backlogBytes = Math.max(backlogBytes, publisher.stats.backlogBytes);
      await sleep(0);
    }
    expect(backlogBytes).toBeLessThan(300_000);
    expect(await Promise.race([publisher.closed, sleep(1_000, 'still open')])).toBe('stalled');
  });

  test('a server that asks while a slow connection has a backlog is answered, not cut', async () => {
    await using sink = new Sink();
    sink.isReading = false;
    const result = await connectRtmpPublisher({ url: await sink.listen(), backlogBytesMax: 100_000 });
    if (!result.ok) throw new Error(result.reason);
    const { publisher } = result;
    const payload = new Uint8Array(90_000);
    payload.set([0x17, 1]);
    while (publisher.stats.droppedTags === 0) {
      publisher.send({ typeId: 9, timestampMs: 0, payload });
      await sleep(0);
    }
    expect(publisher.stats.backlogBytes).toBeGreaterThan(100_000);
    sink.say(new RtmpChunkWriter().write(userControl(6, 1)));
    expect(await Promise.race([publisher.closed, sleep(300, 'still open')])).toBe('still open');
    publisher.close();
  });

  test('a server that announces a huge message is let go', async () => {
    await using sink = new Sink();
    const result = await connectRtmpPublisher({ url: await sink.listen() });
    if (!result.ok) throw new Error(result.reason);
    sink.say(Uint8Array.of(3, 0, 0, 0, 0x7f, 0xff, 0xff, 20, 0, 0, 0, 0)); // a command of 8 MB
    expect(await result.publisher.closed).toBe('protocol');
  });
});

describe('a pinned address', () => {
  test('is connected to as it is, while server and certificate are asked for by name', async () => {
    await using sink = new Sink({ isTls: true });
    const port = new URL((await sink.listen()).replace('rtmp', 'http')).port;
    const url = `rtmps://live.example:${port}/app/inst/s3?a=b`;
    const result = await connectRtmpPublisher({ url, address: '127.0.0.1', ca: pem('cert') });
    if (!result.ok) throw new Error(result.reason);
    expect([sink.tcUrl, sink.servername]).toEqual([`rtmps://live.example:${port}/app/inst`, 'live.example']);
    result.publisher.close();
    await until('the goodbye', () => sink.commands.includes('deleteStream'));
    expect(await connectRtmpPublisher({ url, address: '127.0.0.1' })).toEqual({ ok: false, reason: 'tls' });
    // As a person writes it; servers know the name in its one form (RFC 6066, 3).
    const written = { url: `rtmps://Ｌive.Example.:${port}/app/s3`, address: '127.0.0.1', ca: pem('cert') };
    const again = await connectRtmpPublisher(written);
    expect([again.ok, sink.servername]).toEqual([true, 'live.example']);
    if (again.ok) again.publisher.close();
    const stranger = { url: `rtmps://other.example:${port}/app/s3`, address: '127.0.0.1', ca: pem('cert') };
    expect(await connectRtmpPublisher(stranger)).toEqual({ ok: false, reason: 'tls' });
  });

  test('is not looked up again: a name that nobody knows will do', async () => {
    await using sink = new Sink();
    const port = new URL((await sink.listen()).replace('rtmp', 'http')).port;
    const result = await connectRtmpPublisher({ url: `rtmp://no.invalid:${port}/app/s3`, address: '127.0.0.1' });
    expect([result.ok, sink.tcUrl]).toEqual([true, `rtmp://no.invalid:${port}/app`]);
    if (result.ok) result.publisher.close();
  });

  test('RTMPS to a server that speaks another protocol says so', async () => {
    const other = createServer((socket) => {
      socket.on('error', () => undefined); // the publisher left
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    expect(await connectRtmpPublisher({ url: `rtmps://127.0.0.1:${port}/app/s3` })).toEqual({
      ok: false,
      reason: 'tls',
    });
    other.close();
  });
});

test('metadata is set as a data frame, and what the server acknowledges is told', async () => {
  await using sink = new Sink();
  sink.acknowledges = true;
  const result = await connectRtmpPublisher({ url: await sink.listen() });
  if (!result.ok) throw new Error(result.reason);
  const { publisher } = result;
  expect(publisher.stats).toMatchObject({ sentBytes: 0, backlogBytes: 0, acknowledgedBytes: null });
  publisher.send({ typeId: 18, timestampMs: 0, payload: encodeAmf0('onMetaData') });
  await until('the acknowledgement', () => publisher.stats.acknowledgedBytes === 4_711);
  expect([sink.metadata, sink.windowBytes]).toEqual([['@setDataFrame', 'onMetaData'], 250_000]);
  expect(publisher.stats.sentBytes).toBeGreaterThan(20);
  publisher.close();
});

describe('the endless loop', () => {
  test('plays in real time across the seam, and goes on at a keyframe after a lost connection', async () => {
    await using sink = new Sink();
    const stop = new AbortController();
    const states: PublishLoopState[] = [];
    const stats: PublishLoopStats[] = [];
    const done = publishFlvLoop({
      url: await sink.listen(),
      flvBytes: CLIP,
      signal: stop.signal,
      retryFirstMs: 20,
      onState: (state) => states.push(state),
      onStats: (one) => stats.push(one),
    });
    const videoTimes = (): number[] => sink.media.filter((one) => one.typeId === 9).map((one) => one.timestampMs);
    await until('the first picture', () => videoTimes().length > 1);
    const beganMs = performance.now();
    await until('the second round', () => Math.max(...videoTimes()) > 2_500);
    expect(Math.abs(performance.now() - beganMs - 2_500)).toBeLessThan(400);
    const steps = videoTimes()
      .slice(2)
      .map((time, index) => time - (videoTimes()[index + 1] ?? 0));
    expect([Math.min(...steps), Math.max(...steps)]).toEqual([40, 40]);
    const before = sink.media.length;
    sink.drop();
    await until('media on a new connection', () => sink.connections === 2 && sink.media.length > before + 5);
    const [, , firstPicture] = sink.media.slice(before).filter((one) => one.typeId === 9 || one.payload[1] === 0);
    expect(firstPicture?.payload[0]).toBe(0x17);
    stop.abort();
    await done;
    expect(states.map((state) => state.kind)).toEqual([
      'connecting',
      'publishing',
      'waiting',
      'connecting',
      'publishing',
      'stopped',
    ]);
    expect(sink.commands.slice(0, 5)).toEqual(['connect', 'releaseStream', 'FCPublish', 'createStream', 'publish']);
    expect(stats.length).toBeGreaterThanOrEqual(2);
    expect(stats.at(-1)?.rounds).toBe(1);
  });

  test.skipIf(!hasFfmpeg())('ffmpeg as the server records what we publish', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rtmp-client-'));
    const port = await freePort();
    const url = `rtmp://127.0.0.1:${port}/live/demo`;
    const recorder = spawn(
      'ffmpeg',
      ['-v', 'error', '-listen', '1', '-i', url, '-t', '3', '-c', 'copy', '-y', join(folder, 'out.flv')],
      { stdio: 'ignore' },
    );
    const ended = new Promise((resolve) => recorder.once('exit', resolve));
    const stop = new AbortController();
    const done = publishFlvLoop({ url, flvBytes: CLIP, signal: stop.signal, retryFirstMs: 50 });
    await ended;
    stop.abort();
    await done;
    const probe = spawnSync('ffprobe', [
      ...'-v error -count_packets -of csv=p=0 -show_entries stream=codec_name,width,nb_read_packets'.split(' '),
      join(folder, 'out.flv'),
    ]);
    rmSync(folder, { recursive: true });
    expect(probe.stderr.toString()).toBe('');
    expect(probe.stdout.toString()).toMatch(/h264,320,7\d/);
    expect(probe.stdout.toString()).toMatch(/aac,1\d\d/);
  });
});

/** Where CI is set a missing ffmpeg fails the test instead of skipping it. */
function hasFfmpeg(): boolean {
  return spawnSync('ffmpeg', ['-version']).status === 0 || process.env.CI === 'true';
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
