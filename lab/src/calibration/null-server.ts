/**
 * A server that costs next to nothing: HTTP-FLV, HLS and LL-HLS of one stream, every answer made once and written as it is to
 * everybody. What viewers cannot do against it, they cannot do against any server: it is the measure of the generator. Bare
 * sockets and a bare reading of requests; it serves this lab's viewers on loopback and nobody else.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { encodeMediaPlaylist, type PlaylistSegment, type PlaylistSegmentStart } from '@showfloor/media-formats';
import {
  flvOpening,
  flvPicture,
  flvSound,
  fmp4Opening,
  fmp4Part,
  NULL_FPS,
  NULL_PART_MS,
  NULL_PARTS,
  pictureAtMs,
  soundAtMs,
} from './null-media.ts';

const SEGMENT_MS = NULL_PART_MS * NULL_PARTS;
const WINDOW_SEGMENTS = 6;
const FIRST_MSN = 1000;
/** The newest whole segment under a name that stays: for clients that ask for one URL again and again. */
const NEWEST = 'newest.m4s';
/** Segments older than this are forgotten. */
const KEPT_SEGMENTS = WINDOW_SEGMENTS + 4;
const REQUEST_BYTES_MAX = 4096;
/** A viewer that leaves this much unread is cut off: the generator has fallen behind. */
export const UNREAD_BYTES_MAX = 8 * 1024 * 1024;
const BACKLOG = 4096;

/** What it did since the last call of `take`. */
export type NullServerCounts = { readonly requests: number; readonly cutOff: number; readonly worstTickLateMs: number };

/** A running null server; its owner calls `close`. */
export type NullServer = {
  readonly flvUrl: string;
  readonly hlsUrl: string;
  readonly take: () => NullServerCounts;
  readonly close: () => Promise<void>;
};

/** `tickMs`: how often each viewer of FLV is written to, as servers merge packets under load. */
export type NullServerOptions = { readonly tickMs: number };

/** Viewers of FLV that are written to at the same moment. */
type Phase = {
  readonly viewers: Set<Socket>;
  /** What they have not got yet. */
  pending: Buffer[];
  /** Pieces of the cache that they have got. */
  cached: number;
};

/** Viewers of FLV take turns within a tick, so that they do not all read at once. */
const PHASES = 5;

/** Starts it on a free loopback port. */
export async function startNullServer(options: NullServerOptions): Promise<NullServer> {
  const stream = new NullStream(options.tickMs);
  const server: Server = createServer({ noDelay: true }, (socket) => stream.accept(socket));
  await new Promise<void>((done) => server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, done));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/live`;
  return {
    flvUrl: `${base}/null.flv`,
    hlsUrl: `${base}/null.m3u8`,
    take: () => stream.take(),
    close: () => {
      stream.close();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

/** Everything there is to serve, and who waits for it. */
class NullStream {
  readonly #startedAtMs = performance.now() - KEPT_SEGMENTS * SEGMENT_MS;
  readonly #startedAtWallMs = Date.now() - KEPT_SEGMENTS * SEGMENT_MS;
  readonly #sockets = new Set<Socket>();
  readonly #phases: readonly Phase[] = Array.from({ length: PHASES }, () => ({
    viewers: new Set(),
    pending: [],
    cached: 0,
  }));
  #turn = 0;
  readonly #flvHead = Buffer.concat([
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n\r\n', 'latin1'),
    flvOpening(),
  ]);
  readonly #answers = new Map<string, Buffer>();
  /** Who waits for the part with this number (counted from the start), for a list or for the part itself. */
  readonly #waiting = new Map<number, { readonly socket: Socket; readonly name: string }[]>();
  readonly #timers: NodeJS.Timeout[] = [];
  /** Of the second that goes on, from its key frame: what a new viewer begins with. */
  #flvCache: Buffer[] = [];
  #nextPicture = KEPT_SEGMENTS * NULL_FPS;
  #nextSound = Math.ceil((KEPT_SEGMENTS * SEGMENT_MS) / soundAtMs(1));
  #parts = 0;
  #counts = { requests: 0, cutOff: 0, worstTickLateMs: 0 };

  constructor(tickMs: number) {
    this.#answers.set('init.mp4', answer('video/mp4', fmp4Opening()));
    this.#publishParts();
    this.#repeat(0, tickMs / PHASES, () => this.#flvTick());
    this.#repeat(1, NULL_PART_MS, () => this.#publishParts());
  }

  accept(socket: Socket): void {
    this.#sockets.add(socket);
    let begun = '';
    socket.on('data', (bytes: Buffer) => {
      begun += bytes.toString('latin1');
      if (begun.length > REQUEST_BYTES_MAX) socket.destroy();
      else if (begun.endsWith('\r\n\r\n')) {
        const request = begun;
        begun = '';
        this.#onRequest(socket, request.slice('GET '.length, request.indexOf(' ', 'GET '.length)));
      }
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#sockets.delete(socket);
      for (const { viewers } of this.#phases) viewers.delete(socket);
    });
  }

  take(): NullServerCounts {
    const counts = this.#counts;
    this.#counts = { requests: 0, cutOff: 0, worstTickLateMs: 0 };
    return counts;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  /** By the clock, not by the last time: what is late once is not late for ever. */
  #repeat(slot: number, everyMs: number, act: () => void): void {
    let dueAtMs = performance.now() + everyMs;
    const wait = (): void => {
      this.#timers[slot] = setTimeout(run, Math.max(0, dueAtMs - performance.now()));
    };
    const run = (): void => {
      const nowMs = performance.now();
      this.#counts.worstTickLateMs = Math.max(this.#counts.worstTickLateMs, nowMs - dueAtMs);
      dueAtMs += everyMs * Math.max(1, Math.ceil((nowMs - dueAtMs) / everyMs));
      act();
      wait();
    };
    wait();
  }

  #onRequest(socket: Socket, target: string): void {
    this.#counts.requests += 1;
    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name === 'null.flv') this.#watchFlv(socket);
    else if (name === 'null.m3u8') this.#answerList(socket, mark < 0 ? '' : target.slice(mark));
    else this.#answerMedia(socket, name);
  }

  #watchFlv(socket: Socket): void {
    const phase = this.#phases.reduce((least, one) => (one.viewers.size < least.viewers.size ? one : least));
    socket.write(Buffer.concat([this.#flvHead, ...this.#flvCache.slice(0, phase.cached)]));
    phase.viewers.add(socket);
  }

  #answerList(socket: Socket, query: string): void {
    const [, msn] = /_HLS_msn=(\d+)/.exec(query) ?? [];
    const [, part] = /_HLS_part=(\d+)/.exec(query) ?? [];
    const wanted = msn === undefined ? -1 : (Number(msn) - FIRST_MSN) * NULL_PARTS + Number(part ?? NULL_PARTS - 1);
    if (wanted < this.#parts) this.#write(socket, 'list');
    else this.#wait(socket, wanted, 'list');
  }

  #answerMedia(socket: Socket, name: string): void {
    if (this.#answers.has(name)) {
      this.#write(socket, name);
      return;
    }
    const [, msn, part] = /^(\d+)\.(\d+)\.m4s$/.exec(name) ?? [];
    const wanted = (Number(msn) - FIRST_MSN) * NULL_PARTS + Number(part);
    if (wanted === this.#parts) this.#wait(socket, wanted, name);
    else socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
  }

  #wait(socket: Socket, part: number, name: string): void {
    const waiting = this.#waiting.get(part);
    if (waiting === undefined) this.#waiting.set(part, [{ socket, name }]);
    else waiting.push({ socket, name });
  }

  #write(socket: Socket, name: string): void {
    const bytes = this.#answers.get(name);
    if (bytes !== undefined && !socket.destroyed) socket.write(bytes);
  }

  #flvTick(): void {
    const nowMs = performance.now() - this.#startedAtMs;
    const due: Uint8Array[] = [];
    for (;;) {
      const [pictureMs, soundMs] = [pictureAtMs(this.#nextPicture), soundAtMs(this.#nextSound)];
      if (Math.min(pictureMs, soundMs) > nowMs) break;
      if (soundMs < pictureMs) {
        due.push(flvSound(this.#nextSound));
        this.#nextSound += 1;
        continue;
      }
      if (this.#nextPicture % NULL_FPS === 0) {
        this.#flvAdd(due.splice(0));
        this.#flvCache = [];
        for (const phase of this.#phases) phase.cached = 0;
      }
      due.push(flvPicture(this.#nextPicture, this.#startedAtWallMs + pictureMs));
      this.#nextPicture += 1;
    }
    this.#flvAdd(due);
    this.#turn = (this.#turn + 1) % PHASES;
    const phase = this.#phases[this.#turn];
    if (phase !== undefined) this.#flvSend(phase);
  }

  #flvAdd(tags: readonly Uint8Array[]): void {
    if (tags.length === 0) return;
    const bytes = Buffer.concat(tags);
    this.#flvCache.push(bytes);
    for (const phase of this.#phases) phase.pending.push(bytes);
  }

  #flvSend(phase: Phase): void {
    const bytes = Buffer.concat(phase.pending);
    phase.pending = [];
    phase.cached = this.#flvCache.length;
    if (bytes.length === 0) return;
    for (const socket of phase.viewers) {
      if (socket.writableLength > UNREAD_BYTES_MAX) {
        this.#counts.cutOff += 1;
        socket.destroy();
      } else socket.write(bytes);
    }
  }

  #publishParts(): void {
    const dueParts = Math.floor((performance.now() - this.#startedAtMs) / NULL_PART_MS);
    while (this.#parts < dueParts) this.#publish(this.#parts);
    this.#answers.set('list', answer('application/vnd.apple.mpegurl', Buffer.from(this.#listText(), 'latin1')));
    for (const [part, waiting] of this.#waiting) {
      if (part >= this.#parts) continue;
      this.#waiting.delete(part);
      for (const { socket, name } of waiting) this.#write(socket, name);
    }
  }

  #publish(part: number): void {
    const body = fmp4Part(part, this.#startedAtWallMs + part * NULL_PART_MS);
    const [segment, index] = [Math.floor(part / NULL_PARTS), part % NULL_PARTS];
    this.#answers.set(partName(segment, index), answer('video/mp4', body));
    this.#parts += 1;
    if (index < NULL_PARTS - 1) return;
    const whole = Array.from({ length: NULL_PARTS }, (_, one) =>
      fmp4Part(segment * NULL_PARTS + one, this.#startedAtWallMs + (segment * NULL_PARTS + one) * NULL_PART_MS),
    );
    const bytes = answer('video/mp4', Buffer.concat(whole));
    this.#answers.set(segmentName(segment), bytes);
    this.#answers.set(NEWEST, bytes);
    this.#forget(segment - KEPT_SEGMENTS);
  }

  #forget(segment: number): void {
    this.#answers.delete(segmentName(segment));
    for (let part = 0; part < NULL_PARTS; part += 1) this.#answers.delete(partName(segment, part));
  }

  #listText(): string {
    const open = Math.floor(this.#parts / NULL_PARTS);
    const first = Math.max(0, open - WINDOW_SEGMENTS);
    const segments: PlaylistSegment[] = [];
    for (let segment = first; segment < open; segment += 1) {
      const start = this.#segmentStart(segment, segment >= open - 3 ? NULL_PARTS : 0);
      segments.push({ ...start, uri: segmentName(segment), durationMs: SEGMENT_MS });
    }
    return encodeMediaPlaylist({
      targetDurationMs: SEGMENT_MS,
      mediaSequence: FIRST_MSN + first,
      discontinuitySequence: 0,
      hasIndependentSegments: true,
      holdBackMs: 3 * SEGMENT_MS,
      lowLatency: { partTargetMs: NULL_PART_MS, partHoldBackMs: 3 * NULL_PART_MS },
      segments,
      open: this.#segmentStart(open, this.#parts % NULL_PARTS),
      preloadHintUri: partName(open, this.#parts % NULL_PARTS),
      isEnded: false,
    });
  }

  #segmentStart(segment: number, parts: number): PlaylistSegmentStart {
    return {
      mapUri: 'init.mp4',
      isDiscontinuity: false,
      programDateTimeMs: Math.round(this.#startedAtWallMs + segment * SEGMENT_MS),
      parts: Array.from({ length: parts }, (_, part) => ({
        uri: partName(segment, part),
        durationMs: NULL_PART_MS,
        isIndependent: part === 0,
      })),
    };
  }
}

function answer(type: string, body: Buffer): Buffer {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

function segmentName(segment: number): string {
  return `${FIRST_MSN + segment}.m4s`;
}

function partName(segment: number, part: number): string {
  return `${FIRST_MSN + segment}.${part}.m4s`;
}
