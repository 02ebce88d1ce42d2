/** A fake ingest of another platform: speaks RTMP from the other side, and behaves as badly as it is told. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import {
  acknowledgement,
  answerRtmpHandshake,
  decodeRtmpCommand,
  encodeRtmpCommand,
  RTMP_C0C1_BYTES,
  RTMP_C2_BYTES,
  RtmpChunkReader,
  RtmpChunkWriter,
  type RtmpMessage,
  RtmpMessageType,
  readFlvVideoHeader,
} from '@showfloor/media-formats';

/**
 * `good` reads everything · `hangs` accepts and reads no more · `slow` reads `slowBytesPerSecond` · `refuses` the key ·
 * `resets` the connection after `resetAfterMessages` · `silent` never answers.
 */
export type SinkBehaviour = 'good' | 'hangs' | 'slow' | 'refuses' | 'resets' | 'silent';

export type SinkOptions = Readonly<{
  behaviour?: SinkBehaviour;
  isTls?: boolean;
  slowBytesPerSecond?: number;
  resetAfterMessages?: number;
  acknowledges?: boolean;
}>;

/** A media message as it came; `isKeyframe` for coded pictures only. */
export type SunkMessage = Readonly<{
  connection: number;
  typeId: number;
  kind: 'script' | 'header' | 'frame';
  isKeyframe: boolean;
  timestampMs: number;
  atMs: number;
  bytes: number;
}>;

/** The certificate that the TLS sink shows, for `live.example`. */
export const SINK_CA = pem('cert');

function pem(name: string): string {
  return readFileSync(new URL(`../../service-kit/fixtures/live.example.${name}.pem`, import.meta.url), 'utf8');
}

export class RtmpSink implements AsyncDisposable {
  readonly messages: SunkMessage[] = [];
  /** Every command of every connection, in order. */
  readonly commands: string[] = [];
  /** When connections were opened, by performance.now(). */
  readonly openedAtMs: number[] = [];
  readonly tcUrls: unknown[] = [];
  readonly streamNames: unknown[] = [];
  behaviour: SinkBehaviour;
  readonly #options: SinkOptions;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #server: Server;

  private constructor(options: SinkOptions) {
    this.#options = options;
    this.behaviour = options.behaviour ?? 'good';
    const serve = (socket: Socket): void => this.#serve(socket);
    this.#server =
      options.isTls === true ? createTlsServer({ cert: pem('cert'), key: pem('key') }, serve) : createServer(serve);
  }

  static async open(options: SinkOptions = {}): Promise<RtmpSink> {
    const sink = new RtmpSink(options);
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  url(key = 'target-key', host = '127.0.0.1'): string {
    return `rtmp${this.#options.isTls === true ? 's' : ''}://${host}:${this.port}/app/${key}`;
  }

  /** Coded pictures, of one connection (from 0) or of all. */
  pictures(connection?: number): SunkMessage[] {
    const isPicture = (one: SunkMessage): boolean => one.typeId === RtmpMessageType.video && one.kind === 'frame';
    return this.messages.filter((one) => isPicture(one) && (connection ?? one.connection) === one.connection);
  }

  /** Breaks all connections. */
  drop(): void {
    for (const socket of this.#sockets) breakOff(socket);
  }

  #serve(socket: Socket): void {
    const connection = this.openedAtMs.push(performance.now()) - 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined); // the publisher left
    if (this.behaviour === 'silent') {
      socket.resume();
      return;
    }
    const reader = new RtmpChunkReader();
    const writer = new RtmpChunkWriter();
    const handle = (message: RtmpMessage): void => this.#handle(connection, socket, writer, message);
    let opening: Buffer | null = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      if (opening === null) {
        reader.push(bytes, handle);
        return;
      }
      const hadC0C1 = opening.length >= RTMP_C0C1_BYTES;
      opening = Buffer.concat([opening, bytes]);
      if (!hadC0C1 && opening.length >= RTMP_C0C1_BYTES) {
        socket.write(answerRtmpHandshake(opening.subarray(0, RTMP_C0C1_BYTES), new Uint8Array(1528)));
      }
      if (opening.length < RTMP_C0C1_BYTES + RTMP_C2_BYTES) return;
      const rest = opening.subarray(RTMP_C0C1_BYTES + RTMP_C2_BYTES);
      opening = null;
      reader.push(rest, handle);
    });
  }

  #handle(connection: number, socket: Socket, writer: RtmpChunkWriter, message: RtmpMessage): void {
    if (message.typeId === RtmpMessageType.commandAmf0) {
      this.#answer(socket, writer, message);
      return;
    }
    const isMedia = message.typeId === RtmpMessageType.video || message.typeId === RtmpMessageType.audio;
    if (!isMedia && message.typeId !== RtmpMessageType.dataAmf0) return;
    this.messages.push(sunk(connection, message));
    if (this.#options.acknowledges === true) socket.write(writer.write(acknowledgement(socket.bytesRead)));
    const count = this.messages.filter((one) => one.connection === connection).length;
    if (this.behaviour === 'resets' && count >= (this.#options.resetAfterMessages ?? 5)) breakOff(socket);
  }

  #answer(socket: Socket, writer: RtmpChunkWriter, message: RtmpMessage): void {
    const { name, transactionId, args } = decodeRtmpCommand(message);
    this.commands.push(name);
    const send = (command: string, ...more: Parameters<typeof encodeRtmpCommand>[0]['args']): boolean =>
      socket.write(writer.write(encodeRtmpCommand({ name: command, transactionId, args: more })));
    if (name === 'connect') {
      this.tcUrls.push((args[0] as { tcUrl?: unknown }).tcUrl);
      send('_result', {}, { level: 'status', code: 'NetConnection.Connect.Success' });
    }
    if (name === 'createStream') send('_result', null, 1);
    if (name !== 'publish') return;
    this.streamNames.push(args[1]);
    const isRefused = this.behaviour === 'refuses';
    const code = isRefused ? 'NetStream.Publish.Denied' : 'NetStream.Publish.Start';
    send('onStatus', null, { level: isRefused ? 'error' : 'status', code });
    if (this.behaviour === 'hangs') socket.pause();
    if (this.behaviour === 'slow') this.#readSlowly(socket);
  }

  /** Lets the socket flow for as long as the rate allows: ten times a second, at most one chunk more than the rate. */
  #readSlowly(socket: Socket): void {
    const rate = this.#options.slowBytesPerSecond ?? 100_000;
    const startedAtMs = performance.now();
    const startedAtBytes = socket.bytesRead;
    const allowedBytes = (): number => ((performance.now() - startedAtMs) / 1_000) * rate;
    socket.on('data', () => {
      if (socket.bytesRead - startedAtBytes > allowedBytes()) socket.pause();
    });
    const timer = setInterval(() => {
      if (socket.bytesRead - startedAtBytes <= allowedBytes()) socket.resume();
    }, 100);
    this.#timers.add(timer);
    socket.on('close', () => clearInterval(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    for (const timer of this.#timers) clearInterval(timer);
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** By a reset, where the socket can send one: TLS cannot. */
function breakOff(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

function sunk(connection: number, { typeId, timestampMs, payload }: RtmpMessage): SunkMessage {
  const video = typeId === RtmpMessageType.video ? readFlvVideoHeader(payload) : null;
  const isHeader = video === null ? payload[1] === 0 : video.kind === 'sequence-header';
  const kind = typeId === RtmpMessageType.dataAmf0 ? 'script' : isHeader ? 'header' : 'frame';
  const isKeyframe = kind === 'frame' && video?.isKeyframe === true;
  return { connection, typeId, kind, isKeyframe, timestampMs, atMs: performance.now(), bytes: payload.length };
}
