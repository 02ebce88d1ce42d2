import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type FlvTag, FlvTagType, FormatError, readFlvAudioHeader, readFlvVideoHeader } from '@showfloor/media-formats';
import { PublishConversation, type PublishOutcome } from './publish-handshake.ts';
import type { PublishRefusal, PublishRejection } from './publish-result.ts';
import { parsePublishUrl } from './publish-url.ts';

const HANDSHAKE_RANDOM_BYTES = 1528;
const CONNECT_TIMEOUT_MS = 10_000;
const BACKLOG_BYTES_MAX = 4 * 1024 * 1024;

/** How to connect. */
export type RtmpPublisherOptions = Readonly<{
  /** `rtmp://host[:port]/app/stream?key=…` */
  url: string;
  signal?: AbortSignal;
  /** From the TCP connection to the accepted publish; default 10 s. */
  connectTimeoutMs?: number;
  /** Bytes that may wait in the socket before tags are dropped up to the next keyframe; default 4 MB. */
  backlogBytesMax?: number;
}>;

/**
 * Connects and asks to publish. Resolves with a publisher, or with the reason why not; never rejects for what a server
 * or the network does. Throws a TypeError when the URL cannot be read.
 */
export async function connectRtmpPublisher(
  options: RtmpPublisherOptions,
): Promise<{ ok: true; publisher: RtmpPublisher } | PublishRejection> {
  const target = parsePublishUrl(options.url);
  if (options.signal?.aborted === true) return { ok: false, reason: 'aborted' };
  const socket = connect({ host: target.host, port: target.port, noDelay: true });
  return new Promise((resolve) => {
    let publisher: RtmpPublisher | null = null;
    const settle = (outcome: PublishOutcome): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      if (publisher !== null) {
        if (!outcome.ok) publisher.end(outcome.reason);
      } else if (outcome.ok) {
        publisher = new RtmpPublisher(socket, conversation, options);
        resolve({ ok: true, publisher });
      } else {
        socket.destroy();
        resolve(outcome);
      }
    };
    const fail = (reason: PublishRefusal): void => settle({ ok: false, reason });
    const onAbort = (): void => fail('aborted');
    const conversation = new PublishConversation(target, { send: (bytes) => socket.write(bytes), onOutcome: settle });
    const timer = setTimeout(() => fail('timeout'), options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', () => conversation.start(randomBytes(HANDSHAKE_RANDOM_BYTES)));
    socket.on('data', (bytes) => {
      try {
        conversation.push(bytes);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        fail('protocol');
      }
    });
    socket.on('error', () => fail(socket.bytesRead > 0 ? 'closed' : 'unreachable'));
    socket.on('close', () => fail('closed'));
  });
}

/** An accepted publish. The owner calls `close()`; `closed` tells when and why it ended. */
export class RtmpPublisher {
  /** Resolves once, with the reason; `aborted` after `close()`. */
  readonly closed: Promise<PublishRefusal>;
  readonly #socket: Socket;
  readonly #conversation: PublishConversation;
  readonly #backlogBytesMax: number;
  #resolveClosed: (reason: PublishRefusal) => void = () => undefined;
  #isDropping = false;
  #droppedTags = 0;

  constructor(socket: Socket, conversation: PublishConversation, options: RtmpPublisherOptions) {
    this.#socket = socket;
    this.#conversation = conversation;
    this.#backlogBytesMax = options.backlogBytesMax ?? BACKLOG_BYTES_MAX;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Bytes handed to the socket that the kernel has not taken yet. */
  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  /** Tags dropped because the backlog was over its bound. */
  get droppedTags(): number {
    return this.#droppedTags;
  }

  /**
   * Sends one tag. Over the backlog bound it drops tags until the backlog has halved and a keyframe comes (an audio
   * tag suffices when there is no video: `hasVideo` false). Sequence headers and metadata always go out.
   */
  send(tag: FlvTag, hasVideo = true): 'sent' | 'dropped' {
    if (this.#socket.destroyed) return 'dropped';
    if (this.#shouldDrop(tag, hasVideo)) {
      this.#droppedTags += 1;
      return 'dropped';
    }
    this.#socket.write(this.#conversation.encode(tag));
    return 'sent';
  }

  #shouldDrop(tag: FlvTag, hasVideo: boolean): boolean {
    if (!isFrame(tag)) return false;
    if (this.backlogBytes > this.#backlogBytesMax) this.#isDropping = true;
    if (!this.#isDropping) return false;
    const isEntry = tag.typeId === FlvTagType.video ? readFlvVideoHeader(tag.payload).isKeyframe : !hasVideo;
    if (isEntry && this.backlogBytes <= this.#backlogBytesMax / 2) this.#isDropping = false;
    return this.#isDropping;
  }

  /** Says goodbye and ends the connection; `closed` resolves with `aborted`. */
  close(): void {
    if (!this.#socket.destroyed) this.#socket.end(this.#conversation.encodeGoodbye());
    this.end('aborted');
    const timer = setTimeout(() => this.#socket.destroy(), 500);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** Ends with a reason; the first one counts. */
  end(reason: PublishRefusal): void {
    if (reason !== 'aborted') this.#socket.destroy();
    this.#resolveClosed(reason);
  }
}

function isFrame(tag: FlvTag): boolean {
  if (tag.typeId === FlvTagType.video) return readFlvVideoHeader(tag.payload).kind === 'frames';
  return tag.typeId === FlvTagType.audio && readFlvAudioHeader(tag.payload).kind === 'frames';
}
