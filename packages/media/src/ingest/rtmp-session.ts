import { randomBytes, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  type Amf0Value,
  acknowledgement,
  answerRtmpHandshake,
  decodeRtmpCommand,
  encodeRtmpCommand,
  enhancedRtmpProperties,
  FormatError,
  RTMP_C0C1_BYTES,
  RTMP_C2_BYTES,
  RtmpCapsEx,
  RtmpChunkReader,
  RtmpChunkWriter,
  type RtmpCommand,
  type RtmpMessage,
  RtmpMessageType,
  RtmpUserControl,
  readControlArgument,
  readRtmpConnect,
  setPeerBandwidth,
  userControl,
  windowAcknowledgementSize,
} from '@showfloor/media-formats';
import { countBug, type Logger } from '@showfloor/service-kit';
import type { Publication } from '../hub/stream-hub.ts';
import type { MediaMetrics } from '../media-metrics.ts';
import { encoderText } from './encoder-texts.ts';
import type { PublishDesk } from './publish-desk.ts';
import { PublisherMedia } from './publisher-media.ts';
import type { RefusalNotices } from './refusal-notices.ts';
import type { RtmpLimits } from './rtmp-limits.ts';
import { appName, readPresentedKey } from './stream-key.ts';

const WINDOW_BYTES = 2_500_000;
const OUT_CHUNK_BYTES = 4_096;
const MESSAGE_STREAM_ID = 1;
const HANDSHAKE_RANDOM_BYTES = 1_528;

/** What a session needs from its server. */
export type RtmpSessionContext = Readonly<{
  desk: PublishDesk;
  /** Hears of encoders on air whose bytes we do not take. */
  notices: RefusalNotices;
  metrics: MediaMetrics;
  log: Logger;
  limits: RtmpLimits;
  /** The one app that may be published to, e.g. `live`. */
  app: string;
  /** An accepted publisher is gone. */
  onUnpublish?: (publisher: Readonly<{ id: string; ip: string; playbackId: string }>) => void;
}>;

type Phase =
  | { kind: 'c0c1' | 'c2'; missing: number }
  | { kind: 'commands' }
  | { kind: 'asking'; heldBack: RtmpMessage[]; heldBytes: number }
  | { kind: 'publishing'; media: PublisherMedia }
  | { kind: 'closed' };

/**
 * One RTMP connection of a publisher. Owns its socket, its timers and its limits; whatever the peer does wrong ends
 * this session and nothing else.
 */
export class RtmpSession {
  readonly clientId: string = randomUUID();
  readonly ip: string;
  readonly createdAtMs: number = Date.now();
  readonly #socket: Socket;
  readonly #context: RtmpSessionContext;
  readonly #onPublishing: () => void;
  readonly #reader: RtmpChunkReader;
  readonly #writer = new RtmpChunkWriter();
  readonly #c0c1 = Buffer.alloc(RTMP_C0C1_BYTES);
  #phase: Phase = { kind: 'c0c1', missing: RTMP_C0C1_BYTES };
  #deadline: NodeJS.Timeout | null = null;
  #app = '';
  #tcUrl = '';
  #receivedBytes = 0;
  #acknowledgedBytes = 0;
  #windowBytes = WINDOW_BYTES;
  #questions = 0;
  #takesReconnectRequest = false;

  /** `onPublishing` is called once, when a publish was accepted. */
  constructor(socket: Socket, context: RtmpSessionContext, onPublishing: () => void) {
    this.#socket = socket;
    this.#context = context;
    this.#onPublishing = onPublishing;
    this.ip = socket.remoteAddress ?? '';
    this.#reader = new RtmpChunkReader(context.limits.unauthenticated);
    this.#setDeadline(context.limits.handshakeTimeoutMs, 'handshake_timeout');
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.close(error.code?.startsWith('ERR_SSL_') === true ? 'tls_failed' : 'socket_error'),
    );
    socket.on('close', () => this.close('publisher_closed'));
  }

  /** The stream being published; null before and after. */
  get publication(): Publication | null {
    return this.#phase.kind === 'publishing' ? this.#phase.media.publication : null;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get sentBytes(): number {
    return this.#socket.bytesWritten;
  }

  /** Ends the connection. The first reason counts; `reason` is a stable word for log and metrics. */
  close(reason: string): void {
    if (this.#phase.kind === 'closed') return;
    const { publication } = this;
    if (reason === 'server_stopping' && this.#takesReconnectRequest) this.#askToReconnect();
    this.#phase = { kind: 'closed' };
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    const { metrics, log } = this.#context;
    metrics.rtmpEnds.inc({ reason });
    log.info({ clientId: this.clientId, ip: this.ip, reason, receivedBytes: this.receivedBytes }, 'rtmp.closed');
    // What was written (a refusal) still goes out; a peer that does not read it is cut.
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), 1_000).unref();
    if (publication !== null) {
      metrics.publishers.dec();
      publication.end(reason);
      const { playbackId } = publication.stream;
      this.#context.onUnpublish?.({ id: this.clientId, ip: this.ip, playbackId });
    }
  }

  #setDeadline(afterMs: number, reason: string): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      if (this.#phase.kind === 'publishing') this.#sayWhy(reason);
      this.close(reason);
    }, afterMs);
  }

  #receive(bytes: Buffer): void {
    this.#context.metrics.receivedBytes.inc(bytes.length);
    this.#receivedBytes += bytes.length;
    try {
      const rest = this.#readHandshake(bytes);
      if (rest.length > 0 && this.#phase.kind !== 'closed') this.#reader.push(rest, (message) => this.#handle(message));
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#acknowledge();
  }

  /** Ends the session for what its peer sent, with a word to an encoder on air, or for a fault of ours. */
  #fail(error: unknown): void {
    const { clientId, ip } = this;
    if (error instanceof FormatError) {
      this.#context.log.warn({ clientId, ip, code: error.code, ...error.details }, 'rtmp.refused');
      if (this.#phase.kind === 'publishing') this.#sayWhy(error.code);
      this.close(error.code);
      return;
    }
    countBug();
    this.#context.log.error({ err: error, clientId }, 'rtmp.failed');
    this.close('bug');
  }

  /** Takes handshake bytes off the front; what is left belongs to the chunk reader. */
  #readHandshake(bytes: Buffer): Buffer {
    let rest = bytes;
    if (this.#phase.kind === 'c0c1' && rest.length > 0) {
      const taken = rest.subarray(0, this.#phase.missing);
      taken.copy(this.#c0c1, RTMP_C0C1_BYTES - this.#phase.missing);
      this.#phase.missing -= taken.length;
      rest = rest.subarray(taken.length);
      if (this.#phase.missing === 0) {
        this.#socket.write(answerRtmpHandshake(this.#c0c1, randomBytes(HANDSHAKE_RANDOM_BYTES)));
        this.#phase = { kind: 'c2', missing: RTMP_C2_BYTES };
      }
    }
    if (this.#phase.kind === 'c2' && rest.length > 0) {
      const takenBytes = Math.min(this.#phase.missing, rest.length); // its content is not checked: encoders vary
      this.#phase.missing -= takenBytes;
      rest = rest.subarray(takenBytes);
      if (this.#phase.missing === 0) {
        this.#phase = { kind: 'commands' };
        this.#setDeadline(this.#context.limits.firstPacketTimeoutMs, 'no_publish');
      }
    }
    return rest;
  }

  #acknowledge(): void {
    if (this.#phase.kind === 'closed' || this.#receivedBytes - this.#acknowledgedBytes < this.#windowBytes) return;
    this.#acknowledgedBytes = this.#receivedBytes;
    this.#write(acknowledgement(this.#receivedBytes));
  }

  /** A peer that asks and does not read would have us hold every answer: it is cut, not ended, so that all is let go. */
  #write(message: RtmpMessage): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(this.#writer.write(message));
    if (this.#socket.writableLength <= this.#context.limits.answerBytesMax) return;
    this.close('not_reading');
    this.#socket.destroy();
  }

  #handle(message: RtmpMessage): void {
    const phase = this.#phase;
    if (phase.kind === 'closed') return; // what came in the same read as the reason for the end
    if (phase.kind === 'asking') {
      this.#holdBack(phase, message);
      return;
    }
    switch (message.typeId) {
      case RtmpMessageType.commandAmf0:
      case RtmpMessageType.commandAmf3:
        this.#countQuestion();
        this.#handleCommand(decodeRtmpCommand(message));
        return;
      case RtmpMessageType.windowAcknowledgementSize:
        // A tiny window would have us answer every packet.
        this.#windowBytes = Math.max(65_536, readControlArgument(message.payload));
        return;
      case RtmpMessageType.userControl:
        if (message.payload[1] === RtmpUserControl.pingRequest) {
          this.#countQuestion();
          this.#write(userControl(RtmpUserControl.pingResponse, readControlArgument(message.payload.subarray(2))));
        }
        return;
      default:
        if (phase.kind === 'publishing') phase.media.take(message);
    }
  }

  /** Throws FormatError over the bound; an admitted publisher may ask what it likes, if it reads the answers. */
  #countQuestion(): void {
    if (this.#phase.kind !== 'commands') return;
    this.#questions += 1;
    const limit = this.#context.limits.questionsMax;
    if (this.#questions > limit) throw new FormatError('rtmp.too_many_questions', { limit });
  }

  /** The hook is being asked: the socket is paused, only what was already read comes here. */
  #holdBack(phase: Extract<Phase, { kind: 'asking' }>, message: RtmpMessage): void {
    phase.heldBytes += message.payload.length;
    const limitBytes = this.#context.limits.unauthenticated.pendingBytesMax;
    if (phase.heldBytes > limitBytes) throw new FormatError('rtmp.too_many_pending_bytes', { limitBytes });
    phase.heldBack.push(message);
  }

  #handleCommand(command: RtmpCommand): void {
    switch (command.name) {
      case 'connect':
        this.#connect(command);
        return;
      case 'releaseStream':
      case 'FCPublish':
        this.#reply(command, [null, undefined]);
        return;
      case 'createStream':
        this.#reply(command, [null, MESSAGE_STREAM_ID]);
        return;
      case 'publish':
        this.#publish(command).catch((error: unknown) => this.#fail(error));
        return;
      case 'FCUnpublish':
      case 'deleteStream':
      case 'closeStream':
        if (this.#phase.kind === 'publishing') this.close('publisher_stopped');
        return;
      case 'play':
      case 'play2':
        this.#status('error', 'NetStream.Play.Failed', 'Watch over HTTP.');
        this.close('play_refused');
        return;
      default: // encoders say more (_checkbw, getStreamLength …); none of it needs an answer
    }
  }

  #reply(command: RtmpCommand, args: readonly Amf0Value[]): void {
    this.#write(encodeRtmpCommand({ name: '_result', transactionId: command.transactionId, args }));
  }

  #connect(command: RtmpCommand): void {
    const { app, tcUrl, enhanced } = readRtmpConnect(command);
    this.#app = app;
    this.#tcUrl = tcUrl;
    this.#takesReconnectRequest = enhanced !== null && (enhanced.capsEx & RtmpCapsEx.reconnect) !== 0;
    if (appName(app) !== this.#context.app) {
      const reason = { level: 'error', code: 'NetConnection.Connect.InvalidApp', description: 'No such app.' };
      this.#write(encodeRtmpCommand({ name: '_error', transactionId: command.transactionId, args: [null, reason] }));
      this.close('invalid_app');
      return;
    }
    this.#write(windowAcknowledgementSize(WINDOW_BYTES));
    this.#write(setPeerBandwidth(WINDOW_BYTES));
    this.#socket.write(this.#writer.setChunkSize(OUT_CHUNK_BYTES));
    // Only those who ask are told what else we carry: older peers need not understand it.
    const more = enhanced === null ? {} : enhancedRtmpProperties('server');
    const success = { level: 'status', code: 'NetConnection.Connect.Success', description: 'Connected.' };
    this.#reply(command, [
      { fmsVer: 'FMS/3,5,7,7009', capabilities: 31, mode: 1, ...more },
      { ...success, objectEncoding: 0, ...more },
    ]);
  }

  async #publish(command: RtmpCommand): Promise<void> {
    const streamName = command.args[1];
    const presented =
      typeof streamName === 'string' && this.#app !== ''
        ? readPresentedKey({ app: this.#app, tcUrl: this.#tcUrl, streamName })
        : null;
    this.#tcUrl = ''; // may hold the key: not kept
    if (presented === null || this.#phase.kind !== 'commands') {
      this.#status('error', 'NetStream.Publish.Denied', 'Expected {playbackId}?key={secret} as stream name.');
      this.close('bad_stream_name');
      return;
    }
    const asking: Phase = { kind: 'asking', heldBack: [], heldBytes: 0 };
    this.#phase = asking;
    this.#socket.pause();
    const publisher = { clientId: this.clientId, cut: (reason: string) => this.close(reason) };
    const isOpen = (): boolean => this.#phase === asking && !this.#socket.destroyed;
    const result = await this.#context.desk.ask(
      { ...presented, app: this.#context.app, ip: this.ip },
      publisher,
      isOpen,
    );
    if (!result.ok) {
      this.#status('error', result.statusCode, result.text);
      this.close(`refused_${result.reason}`);
      return;
    }
    this.#begin(result.publication, asking.heldBack);
  }

  #begin(publication: Publication, heldBack: readonly RtmpMessage[]): void {
    const { metrics, log, limits } = this.#context;
    const media = new PublisherMedia(publication, {
      metrics,
      log,
      onFrame: (isFirst) => {
        if (isFirst) this.#setDeadline(limits.silenceTimeoutMs, 'silent');
        else this.#deadline?.refresh();
      },
      onKeyframeMissing: () => this.#setDeadline(limits.keyframeTimeoutMs, 'no_keyframe'),
    });
    this.#phase = { kind: 'publishing', media };
    metrics.publishers.inc();
    this.#onPublishing();
    this.#reader.setLimits(limits.authenticated);
    this.#write(userControl(RtmpUserControl.streamBegin, MESSAGE_STREAM_ID));
    this.#status('status', 'NetStream.Publish.Start', 'On air.');
    this.#setDeadline(limits.firstPacketTimeoutMs, 'no_media');
    for (const message of heldBack) this.#handle(message);
    this.#socket.resume();
  }

  /** Encoders show this to whoever sits there: a dead stream without a reason is the worst answer. */
  #sayWhy(reason: string): void {
    const { code, text, isSetting } = encoderText(reason);
    this.#status('error', code, text);
    const admission = this.publication?.admission;
    if (!isSetting || admission === undefined) return;
    const { playbackId, showId } = admission;
    this.#context.notices.add({ playbackId, showId, reason, text });
  }

  /** Enhanced RTMP v2: the encoder comes back at once, instead of after its own idea of a pause. */
  #askToReconnect(): void {
    const info = { level: 'status', code: 'NetConnection.Connect.ReconnectRequest', description: 'Restarting.' };
    this.#write(encodeRtmpCommand({ name: 'onStatus', transactionId: 0, args: [null, info] }));
  }

  #status(level: 'status' | 'error', code: string, description: string): void {
    const command = { name: 'onStatus', transactionId: 0, args: [null, { level, code, description }] };
    this.#write(encodeRtmpCommand(command, MESSAGE_STREAM_ID));
  }
}
