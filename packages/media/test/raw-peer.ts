/** An RTMP peer for the plane tests that says what it likes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  type Amf0Object,
  decodeRtmpCommand,
  encodeRtmpCommand,
  RTMP_S0S1S2_BYTES,
  RtmpChunkReader,
  RtmpChunkWriter,
  type RtmpCommand,
  type RtmpMessage,
  RtmpMessageType,
  startRtmpHandshake,
} from '@showfloor/media-formats';
import { GOOD_KEY, until } from './plane-under-test.ts';

/** A connection past the handshake. Whoever made it need not close it: the server does, or the test's end. */
export class RawPeer {
  readonly socket: Socket;
  readonly commands: RtmpCommand[] = [];
  isClosed = false;
  answeredBytes = 0;
  readonly #writer = new RtmpChunkWriter();
  readonly #reader = new RtmpChunkReader();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('error', () => undefined); // reset by the server: what the tests wait for
  }

  static async open(port: number): Promise<RawPeer> {
    const peer = new RawPeer(connect({ host: '127.0.0.1', port, noDelay: true }));
    await once(peer.socket, 'connect');
    peer.socket.write(startRtmpHandshake(new Uint8Array(1528)));
    let received = 0;
    peer.socket.on('data', (bytes: Buffer) => {
      const skipped = Math.min(bytes.length, RTMP_S0S1S2_BYTES - received);
      received += skipped;
      if (skipped < bytes.length) peer.#read(bytes.subarray(skipped));
    });
    await until('the handshake', () => received >= RTMP_S0S1S2_BYTES);
    peer.socket.write(new Uint8Array(1536));
    return peer;
  }

  /** The code and the description of each onStatus. */
  get statuses(): string[] {
    return this.commands.flatMap(({ name, args }) => {
      if (name !== 'onStatus') return [];
      const { code, description } = args[1] as Amf0Object;
      return [`${code as string}: ${description as string}`];
    });
  }

  send(message: RtmpMessage): void {
    this.socket.write(this.#writer.write(message));
  }

  sendMedia(track: 'video' | 'audio', payload: readonly number[] | Uint8Array, timestampMs = 0): void {
    const typeId = RtmpMessageType[track];
    this.send({ chunkStreamId: 6, typeId, messageStreamId: 1, timestampMs, payload: Uint8Array.from(payload) });
  }

  /** Connects and asks to publish; resolves when the answer to that has come. */
  async publish(playbackId: string, extra: Amf0Object = {}): Promise<this> {
    const info = { app: 'live', tcUrl: 'rtmp://127.0.0.1/live', ...extra };
    this.send(encodeRtmpCommand({ name: 'connect', transactionId: 1, args: [info] }));
    const name = `${playbackId}?key=${GOOD_KEY}`;
    this.send(encodeRtmpCommand({ name: 'publish', transactionId: 5, args: [null, name, 'live'] }, 1));
    await until('the answer to the publish', () => this.statuses.length > 0 || this.isClosed);
    return this;
  }

  #read(bytes: Buffer): void {
    this.answeredBytes += bytes.length;
    this.#reader.push(bytes, (message) => {
      if (message.typeId === RtmpMessageType.commandAmf0) this.commands.push(decodeRtmpCommand(message));
    });
  }
}

/** The smallest headers and frames that pass: content does not matter to a server that never decodes. */
export const AVC_HEADER = Uint8Array.of(0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 1, 0x67);
export const AVC_KEYFRAME = Uint8Array.of(0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 1);
export const AVC_PICTURE = Uint8Array.of(0x27, 1, 0, 0, 0, 0, 0, 0, 2, 0x41, 1);
export const AAC_HEADER = Uint8Array.of(0xaf, 0, 0x12, 0x10);
export const AAC_FRAME = Uint8Array.of(0xaf, 1, 0x21, 0x10, 0x04);
