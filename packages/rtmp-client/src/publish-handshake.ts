/**
 * The conversation that leads to "publishing": handshake, connect, releaseStream, FCPublish, createStream, publish.
 * Sans I/O: bytes in, bytes out through `send`. Spec: Adobe RTMP 1.0, 5.2 and 7.2.
 */
import {
  type Amf0Object,
  type Amf0Value,
  acknowledgement,
  concatBytes,
  decodeRtmpCommand,
  type EnhancedRtmp,
  encodeAmf0,
  encodeRtmpCommand,
  enhancedRtmpProperties,
  finishRtmpHandshake,
  RTMP_S0S1S2_BYTES,
  RtmpChunkReader,
  RtmpChunkWriter,
  type RtmpCommand,
  type RtmpMessage,
  RtmpMessageType,
  type RtmpReaderLimits,
  RtmpUserControl,
  readControlArgument,
  readEnhancedRtmp,
  startRtmpHandshake,
  userControl,
  windowAcknowledgementSize,
} from '@showfloor/media-formats';
import { type PublishRejection, refusalOf } from './publish-result.ts';
import type { RtmpPublishTarget } from './publish-url.ts';

const OUT_CHUNK_BYTES = 65_536;
/** A server has little to say to a publisher: what is larger is hostile. */
const SERVER_LIMITS: RtmpReaderLimits = {
  messageBytesMax: 64 * 1024,
  pendingBytesMax: 128 * 1024,
  chunkStreamsMax: 16,
};
/** We ask to hear at least this often of bytes that have arrived: within a second of a usual stream. */
const ACKNOWLEDGEMENT_WINDOW_BYTES = 256 * 1024;
const METADATA_NAME = encodeAmf0('onMetaData');
const SET_DATA_FRAME = encodeAmf0('@setDataFrame');
const CONNECT_TRANSACTION = 1;
const CREATE_STREAM_TRANSACTION = 4;

/** What the server said: the publish was accepted, refused, or (later) broken off. */
export type PublishOutcome = { ok: true; messageStreamId: number } | PublishRejection;

/** One client side of an RTMP publish conversation. */
export class PublishConversation {
  readonly #target: RtmpPublishTarget;
  readonly #isEnhanced: boolean;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #onOutcome: (outcome: PublishOutcome) => void;
  readonly #reader = new RtmpChunkReader(SERVER_LIMITS);
  readonly #writer = new RtmpChunkWriter();
  readonly #handshake = new Uint8Array(RTMP_S0S1S2_BYTES);
  #handshakeFilled = 0;
  #messageStreamId = 0;
  #receivedBytes = 0;
  #acknowledgedBytes = 0;
  #windowBytes = Number.POSITIVE_INFINITY;
  #peerAcknowledgedBytes: number | null = null;
  #peerEnhanced: EnhancedRtmp | null = null;

  /**
   * `onOutcome` may be called again after an acceptance, when the server breaks the publish off. `isEnhanced`: the server is told that
   * Enhanced RTMP (HEVC) may come.
   */
  constructor(
    target: RtmpPublishTarget,
    isEnhanced: boolean,
    io: { send: (bytes: Uint8Array) => void; onOutcome: (outcome: PublishOutcome) => void },
  ) {
    this.#target = target;
    this.#isEnhanced = isEnhanced;
    this.#send = io.send;
    this.#onOutcome = io.onOutcome;
  }

  /** Bytes of ours that the server says it has read (32 bits, wrapping); null as long as it says nothing: many never do. */
  get peerAcknowledgedBytes(): number | null {
    return this.#peerAcknowledgedBytes;
  }

  /** What the server has said of Enhanced RTMP; null when nothing: many that take HEVC do not say so. */
  get peerEnhanced(): EnhancedRtmp | null {
    return this.#peerEnhanced;
  }

  /** Sends C0 and C1; `randomBytes` fill the handshake (1528 are used). */
  start(randomBytes: Uint8Array): void {
    this.#send(startRtmpHandshake(randomBytes));
  }

  /** Takes the server's bytes, in any cut. Throws FormatError. */
  push(bytes: Uint8Array): void {
    this.#receivedBytes += bytes.length;
    const rest = this.#handshakeFilled < RTMP_S0S1S2_BYTES ? this.#pushHandshake(bytes) : bytes;
    if (rest.length > 0) this.#reader.push(rest, (message) => this.#handle(message));
    if (this.#receivedBytes - this.#acknowledgedBytes >= this.#windowBytes) {
      this.#acknowledgedBytes = this.#receivedBytes;
      this.#send(this.#writer.write(acknowledgement(this.#receivedBytes)));
    }
  }

  /** Encodes a media message of the published stream. Metadata goes out as `@setDataFrame`, which is what keeps it for joiners. */
  encode(message: { typeId: number; timestampMs: number; payload: Uint8Array }): Uint8Array {
    if (message.typeId === RtmpMessageType.dataAmf0 && startsWith(message.payload, METADATA_NAME)) {
      const payload = concatBytes([SET_DATA_FRAME, message.payload]);
      return this.#writer.write({ ...message, payload, chunkStreamId: 5, messageStreamId: this.#messageStreamId });
    }
    const chunkStreamId =
      message.typeId === RtmpMessageType.audio ? 4 : message.typeId === RtmpMessageType.video ? 6 : 5;
    return this.#writer.write({ ...message, chunkStreamId, messageStreamId: this.#messageStreamId });
  }

  /** Encodes the goodbye of a publisher that ends on purpose. */
  encodeGoodbye(): Uint8Array {
    const { streamName } = this.#target;
    return concatBytes([
      this.#writer.write(encodeRtmpCommand({ name: 'FCUnpublish', transactionId: 6, args: [null, streamName] })),
      this.#writer.write(
        encodeRtmpCommand({ name: 'deleteStream', transactionId: 7, args: [null, this.#messageStreamId] }),
      ),
    ]);
  }

  #pushHandshake(bytes: Uint8Array): Uint8Array {
    const taken = bytes.subarray(0, RTMP_S0S1S2_BYTES - this.#handshakeFilled);
    this.#handshake.set(taken, this.#handshakeFilled);
    this.#handshakeFilled += taken.length;
    if (this.#handshakeFilled === RTMP_S0S1S2_BYTES) {
      this.#send(finishRtmpHandshake(this.#handshake));
      this.#send(this.#writer.setChunkSize(OUT_CHUNK_BYTES));
      const { app, tcUrl } = this.#target;
      const more = this.#isEnhanced ? enhancedRtmpProperties('client') : {};
      const connect = { app, type: 'nonprivate', flashVer: 'FMLE/3.0 (compatible; Showfloor)', tcUrl, ...more };
      this.#command({ name: 'connect', transactionId: CONNECT_TRANSACTION, args: [connect] });
    }
    return bytes.subarray(taken.length);
  }

  #command(command: RtmpCommand, messageStreamId = 0): void {
    this.#send(this.#writer.write(encodeRtmpCommand(command, messageStreamId)));
  }

  #handle(message: RtmpMessage): void {
    switch (message.typeId) {
      case RtmpMessageType.windowAcknowledgementSize:
        this.#windowBytes = readControlArgument(message.payload);
        return;
      case RtmpMessageType.setPeerBandwidth: {
        // section 5.4.5: answered with our window, within which the server acknowledges
        const windowBytes = Math.min(readControlArgument(message.payload), ACKNOWLEDGEMENT_WINDOW_BYTES);
        this.#send(this.#writer.write(windowAcknowledgementSize(windowBytes)));
        return;
      }
      case RtmpMessageType.acknowledgement:
        this.#peerAcknowledgedBytes = readControlArgument(message.payload);
        return;
      case RtmpMessageType.userControl:
        if (message.payload[1] === RtmpUserControl.pingRequest) {
          const time = readControlArgument(message.payload.subarray(2));
          this.#send(this.#writer.write(userControl(RtmpUserControl.pingResponse, time)));
        }
        return;
      case RtmpMessageType.commandAmf0:
      case RtmpMessageType.commandAmf3:
        this.#handleCommand(decodeRtmpCommand(message));
        return;
      default: // nothing that a publisher needs
    }
  }

  #handleCommand({ name, transactionId, args }: RtmpCommand): void {
    if (name === '_error' && isDecisive(transactionId)) this.#onOutcome(refusalOf(statusCode(args)));
    else if (name === '_result' && transactionId === CONNECT_TRANSACTION) this.#connected(args);
    else if (name === '_result' && transactionId === CREATE_STREAM_TRANSACTION) this.#publish(args[1]);
    else if (name === 'onStatus') this.#handleStatus(args);
  }

  /** Peers differ in which of the answer's two objects they put their properties. */
  #connected([properties = null, information = null]: readonly Amf0Value[]): void {
    this.#peerEnhanced = readEnhancedRtmp(properties) ?? readEnhancedRtmp(information);
    this.#createStream();
  }

  #createStream(): void {
    const { streamName } = this.#target;
    this.#command({ name: 'releaseStream', transactionId: 2, args: [null, streamName] });
    this.#command({ name: 'FCPublish', transactionId: 3, args: [null, streamName] });
    this.#command({ name: 'createStream', transactionId: CREATE_STREAM_TRANSACTION, args: [null] });
  }

  #publish(streamId: Amf0Value): void {
    this.#messageStreamId = typeof streamId === 'number' ? streamId : 1;
    const args = [null, this.#target.streamName, 'live'];
    this.#command({ name: 'publish', transactionId: 5, args }, this.#messageStreamId);
  }

  #handleStatus(args: readonly Amf0Value[]): void {
    const code = statusCode(args);
    if (code === 'NetStream.Publish.Start') this.#onOutcome({ ok: true, messageStreamId: this.#messageStreamId });
    else if (statusField(args, 'level') === 'error') this.#onOutcome(refusalOf(code));
  }
}

/** Servers answer releaseStream and FCPublish with `_error` when they do not know them: that means nothing. */
function isDecisive(transactionId: number): boolean {
  return transactionId === CONNECT_TRANSACTION || transactionId === CREATE_STREAM_TRANSACTION;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}

function statusCode(args: readonly Amf0Value[]): string {
  return statusField(args, 'code') ?? 'unknown';
}

function statusField(args: readonly Amf0Value[], field: string): string | undefined {
  const info = args[1];
  if (typeof info !== 'object' || info === null) return undefined;
  const value = (info as Amf0Object)[field];
  return typeof value === 'string' ? value : undefined;
}
