import { randomBytes } from 'node:crypto';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { domainToASCII } from 'node:url';
import {
  type EnhancedRtmp,
  type FlvTag,
  FlvTagType,
  FormatError,
  readFlvAudioHeader,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { PublishConversation, type PublishOutcome } from './publish-handshake.ts';
import type { PublishRefusal, PublishRejection } from './publish-result.ts';
import { parsePublishUrl, type RtmpPublishTarget } from './publish-url.ts';

const HANDSHAKE_RANDOM_BYTES = 1528;
const CONNECT_TIMEOUT_MS = 10_000;
const BACKLOG_BYTES_MAX = 4 * 1024 * 1024;
/**
 * Headers and our answers to the server go out whatever waits, up to this many times the backlog's bound: a server that does not
 * even take those is let go.
 */
const BACKLOG_FACTOR_MAX = 2;
/**
 * What a server may say to a publisher. An acknowledgement now and then, a ping: less than 100 bytes per second. One that talks
 * without end would have us read it, in the process that serves everybody's viewers.
 */
const SERVER_BYTES_MAX = 256 * 1024;
const SERVER_BYTES_PER_SECOND_MAX = 16 * 1024;
/** A connection that is held through a publisher's absence must not be forgotten by the routers on its way. */
const KEEP_ALIVE_MS = 15_000;
const GOODBYE_MS = 500;

/** How to connect. */
export type RtmpPublisherOptions = Readonly<{
  /** `rtmp(s)://host[:port]/app/stream?key=…` */
  url: string;
  /** Connect to this address instead of looking the host up again; the server is told the host, the certificate checked for it. */
  address?: string;
  /** Tell the server that Enhanced RTMP (HEVC) may come. Off: nothing that an old server might stumble over is said. */
  isEnhanced?: boolean;
  /** Certificate authority instead of the usual ones, PEM. */
  ca?: string;
  signal?: AbortSignal;
  /** From the start to the accepted publish; default 10 s. */
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
  const socket = openSocket(target, options);
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
    const answersBytesMax = (options.backlogBytesMax ?? BACKLOG_BYTES_MAX) * BACKLOG_FACTOR_MAX;
    const mayHaveSaid = serverAllowance();
    const conversation = new PublishConversation(target, options.isEnhanced === true, {
      send: (bytes) => {
        if (socket.writableLength > answersBytesMax) fail('protocol');
        else socket.write(bytes);
      },
      onOutcome: settle,
    });
    const timer = setTimeout(() => fail('timeout'), options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    let failure: PublishRefusal = 'unreachable';
    socket.on('connect', () => {
      failure = target.isTls ? 'tls' : 'closed';
    });
    socket.on(target.isTls ? 'secureConnect' : 'connect', () => {
      failure = 'closed';
      conversation.start(randomBytes(HANDSHAKE_RANDOM_BYTES));
    });
    socket.on('data', (bytes) => {
      if (!mayHaveSaid(bytes.length)) {
        fail('protocol');
        return;
      }
      socket.cork(); // what we answer to one read goes out in one write
      try {
        conversation.push(bytes);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        fail('protocol');
      } finally {
        socket.uncork();
      }
    });
    socket.on('error', () => fail(failure));
    socket.on('close', () => fail('closed'));
  });
}

function openSocket(target: RtmpPublishTarget, { address, ca }: RtmpPublisherOptions): Socket {
  const where = { host: address ?? target.host, port: target.port };
  const servername = isIP(target.host) === 0 ? { servername: nameOf(target.host) } : {};
  const socket = target.isTls
    ? connectTls({ ...where, ...servername, ...(ca === undefined ? {} : { ca }) })
    : connect(where);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}

/** The name of a host as certificates and servers know it (RFC 6066, section 3), however a person wrote it. */
function nameOf(host: string): string {
  return (domainToASCII(host) || host).replace(/\.$/, '');
}

/** False as soon as more bytes have come than a server may say in the time since this was called. */
function serverAllowance(): (bytes: number) => boolean {
  const beganAtMs = performance.now();
  let saidBytes = 0;
  return (bytes) => {
    saidBytes += bytes;
    const seconds = (performance.now() - beganAtMs) / 1_000;
    return saidBytes <= SERVER_BYTES_MAX + seconds * SERVER_BYTES_PER_SECOND_MAX;
  };
}

/** What has become of the bytes of a publish. */
export type RtmpPublisherStats = Readonly<{
  /** Media bytes that have left the process, RTMP headers included. The kernel may still hold a few megabytes of them. */
  sentBytes: number;
  /** Handed to the socket, not taken by the kernel yet. */
  backlogBytes: number;
  /** What the server says it has read of this connection (32 bits, wrapping); null for a server that never says. */
  acknowledgedBytes: number | null;
  /** Tags dropped because the backlog was over its bound. */
  droppedTags: number;
}>;

/** An accepted publish. The owner calls `close()`; `closed` tells when and why it ended. */
export class RtmpPublisher {
  /** Resolves once, with the reason; `aborted` after `close()`. */
  readonly closed: Promise<PublishRefusal>;
  readonly #socket: Socket;
  readonly #conversation: PublishConversation;
  readonly #backlogBytesMax: number;
  #resolveClosed: (reason: PublishRefusal) => void = () => undefined;
  #isDropping = false;
  #sentBytes = 0;
  #droppedTags = 0;

  constructor(socket: Socket, conversation: PublishConversation, options: RtmpPublisherOptions) {
    this.#socket = socket;
    this.#conversation = conversation;
    this.#backlogBytesMax = options.backlogBytesMax ?? BACKLOG_BYTES_MAX;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** What the server has said of Enhanced RTMP, if anything. */
  get enhanced(): EnhancedRtmp | null {
    return this.#conversation.peerEnhanced;
  }

  get stats(): RtmpPublisherStats {
    return {
      sentBytes: this.#sentBytes,
      backlogBytes: this.#socket.writableLength,
      acknowledgedBytes: this.#conversation.peerAcknowledgedBytes,
      droppedTags: this.#droppedTags,
    };
  }

  /**
   * Sends one tag. Over the backlog bound it drops tags until the backlog has halved and a keyframe comes (an audio
   * tag suffices when there is no video: `hasVideo` false). Sequence headers and metadata always go out; who lets those pile up
   * to twice the bound is let go (`stalled`).
   */
  send(tag: FlvTag, hasVideo = true): 'sent' | 'dropped' {
    if (this.#socket.destroyed) return 'dropped';
    if (this.#shouldDrop(tag, hasVideo)) {
      this.#droppedTags += 1;
      return 'dropped';
    }
    if (this.#socket.writableLength > this.#backlogBytesMax * BACKLOG_FACTOR_MAX) {
      this.#droppedTags += 1;
      this.end('stalled');
      return 'dropped';
    }
    const bytes = this.#conversation.encode(tag);
    this.#socket.write(bytes, (error) => {
      if (error === null || error === undefined) this.#sentBytes += bytes.length; // what is let go at the end did not leave
    });
    return 'sent';
  }

  #shouldDrop(tag: FlvTag, hasVideo: boolean): boolean {
    if (!isFrame(tag)) return false;
    const backlogBytes = this.#socket.writableLength;
    if (backlogBytes > this.#backlogBytesMax) this.#isDropping = true;
    if (!this.#isDropping) return false;
    const isEntry = tag.typeId === FlvTagType.video ? readFlvVideoHeader(tag.payload).isKeyframe : !hasVideo;
    if (isEntry && backlogBytes <= this.#backlogBytesMax / 2) this.#isDropping = false;
    return this.#isDropping;
  }

  /** Says goodbye and ends the connection, within half a second; `closed` resolves with `aborted`. */
  close(): void {
    if (!this.#socket.destroyed) this.#socket.end(this.#conversation.encodeGoodbye());
    this.end('aborted');
    const timer = setTimeout(() => this.#socket.destroy(), GOODBYE_MS);
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
