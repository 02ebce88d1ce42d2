/**
 * A small real HLS origin (CMAF, 1 s segments, 200 ms parts) whose media are made on the fly, with capture times inside, and which
 * can misbehave in ways that a lab must notice.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import {
  CAPTURE_TIME_SEI_UUID,
  encodeFmp4Fragment,
  encodeFmp4Init,
  encodeWallClockSei,
  FlvTagType,
  insertUserDataSei,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { readFlvLoop } from '@showfloor/rtmp-client';

/** What the server does wrong. Times count from when the first viewer came. */
export type HlsMisbehaviour = {
  /** A classic list: no parts, no blocking. */
  readonly isClassic?: boolean;
  /** From then on every number in the list is this much higher: above 0 skips numbers, below 0 repeats some. */
  readonly renumber?: { readonly atMs: number; readonly by: number };
  /** The list stands still, and blocking reloads are answered with it; media go on. */
  readonly staleList?: { readonly atMs: number; readonly forMs: number };
  /** Nothing new is published in this time; then what was due comes at once. */
  readonly stall?: { readonly atMs: number; readonly forMs: number };
  /** Segments and parts last only this share of what the list says. */
  readonly realLength?: number;
  /** From then on every third segment (and its parts) is listed and answered with 404. */
  readonly missingFromMs?: number;
  /** From then on timestamps are this much later, and no discontinuity says so. */
  readonly timestampJump?: { readonly atMs: number; readonly byMs: number };
  /** From then on requests of this kind are accepted and never answered. */
  readonly silent?: { readonly kind: 'list' | 'media'; readonly atMs: number };
  /** Media are pages of text with status 200. */
  readonly isText?: boolean;
  /** Capture times are this much older than the picture. */
  readonly captureDelayMs?: number;
  readonly partHoldBackS?: number;
};

/** A running server; its owner awaits `close()`. */
export type PlantedHlsServer = {
  readonly url: string;
  /** Distinct values of the two headers that tell viewers apart. */
  readonly viewers: { readonly forwarded: ReadonlySet<string>; readonly sessions: ReadonlySet<string> };
  /** Sockets that were ever opened. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
};

const FPS = 25;
const FRAME_MS = 1000 / FPS;
const PART_MS = 200;
const PARTS = 5;
const SEGMENT_MS = PARTS * PART_MS;
const WINDOW = 6;
const FIRST_MSN = 1000;
/** This much is there when the server starts. */
const BEFORE_MS = 10_000;
const TIMESCALE = 90_000;
const CLIP = resolve(import.meta.dirname, '../../packages/media-formats/fixtures/avc-aac-320x180.flv');

/** Starts it on a free loopback port. */
export async function startPlantedHlsServer(bad: HlsMisbehaviour = {}): Promise<PlantedHlsServer> {
  const origin = new Origin(bad);
  const server = createServer({ keepAliveTimeout: 20_000 }, (request, response) => origin.answer(request, response));
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/live/test.m3u8`,
    viewers: origin.viewers,
    connections: () => connections,
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

class Origin {
  readonly viewers = { forwarded: new Set<string>(), sessions: new Set<string>() };
  readonly #bad: HlsMisbehaviour;
  readonly #startedAtMs = performance.now();
  readonly #startedAtWallMs = Date.now();
  readonly #avcConfig: Uint8Array;
  #firstViewerAtMs = Number.POSITIVE_INFINITY;
  /** Parts listed when the list began to stand still. */
  #staleParts: number | null = null;

  constructor(bad: HlsMisbehaviour) {
    this.#bad = bad;
    const header = readFlvLoop(readFileSync(CLIP)).headers.find(({ typeId }) => typeId === FlvTagType.video);
    if (header === undefined) throw new Error('the clip has no AVC configuration');
    this.#avcConfig = header.payload.subarray(readFlvVideoHeader(header.payload).dataOffset);
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://x');
    const { 'x-forwarded-for': forwarded, 'x-playback-session-id': session } = request.headers;
    if (typeof forwarded === 'string' && typeof session === 'string') {
      this.#firstViewerAtMs = Math.min(this.#firstViewerAtMs, performance.now());
      this.viewers.forwarded.add(forwarded);
      this.viewers.sessions.add(session);
    }
    const name = url.pathname.slice('/live/'.length);
    const { silent } = this.#bad;
    const isSilent = silent !== undefined && this.#watchedMs >= silent.atMs;
    if (name === 'test.m3u8') send(response, 'text', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\ntest/index.m3u8\n');
    else if (name === 'test/index.m3u8') {
      if (!isSilent || silent.kind !== 'list') this.#answerList(url, response);
    } else if (!isSilent || silent.kind !== 'media') this.#answerMedia(name.slice('test/'.length), response);
  }

  get #watchedMs(): number {
    return performance.now() - this.#firstViewerAtMs;
  }

  /** Parts that are published now. */
  get #parts(): number {
    const { atMs, forMs } = this.#bad.stall ?? { atMs: Number.POSITIVE_INFINITY, forMs: 0 };
    const watchedMs = this.#watchedMs;
    const isStalled = watchedMs >= atMs && watchedMs < atMs + forMs;
    const elapsedMs = performance.now() - this.#startedAtMs - (isStalled ? watchedMs - atMs : 0);
    return Math.floor((BEFORE_MS + elapsedMs) / PART_MS);
  }

  #isWithin(stretch: { readonly atMs: number; readonly forMs: number } | undefined): boolean {
    if (stretch === undefined) return false;
    return this.#watchedMs >= stretch.atMs && this.#watchedMs < stretch.atMs + stretch.forMs;
  }

  get #listedParts(): number {
    if (!this.#isWithin(this.#bad.staleList)) {
      this.#staleParts = null;
      return this.#parts;
    }
    this.#staleParts ??= this.#parts;
    return this.#staleParts;
  }

  #answerList(url: URL, response: ServerResponse): void {
    const msn = url.searchParams.get('_HLS_msn');
    const wanted =
      msn === null
        ? 0
        : (Number(msn) - this.#numberShift - FIRST_MSN) * PARTS + Number(url.searchParams.get('_HLS_part') ?? 0) + 1;
    this.#when(wanted, response, () => send(response, 'text', this.#list()));
  }

  /** Holds an answer until so many parts are published, or the list stands still. */
  #when(parts: number, response: ServerResponse, happen: () => void): void {
    if (response.destroyed) return;
    if (this.#parts >= parts || this.#isWithin(this.#bad.staleList)) happen();
    else setTimeout(() => this.#when(parts, response, happen), 5);
  }

  get #numberShift(): number {
    const { renumber } = this.#bad;
    return renumber !== undefined && this.#watchedMs >= renumber.atMs ? renumber.by : 0;
  }

  #list(): string {
    const parts = this.#listedParts;
    const whole = Math.floor(parts / PARTS);
    const first = whole - WINDOW;
    const lines = ['#EXTM3U', '#EXT-X-VERSION:9', '#EXT-X-TARGETDURATION:1'];
    if (this.#bad.isClassic !== true) {
      lines.push(
        '#EXT-X-PART-INF:PART-TARGET=0.2',
        `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=3,PART-HOLD-BACK=${this.#bad.partHoldBackS ?? 0.6}`,
      );
    }
    lines.push(`#EXT-X-MEDIA-SEQUENCE:${FIRST_MSN + first + this.#numberShift}`, '#EXT-X-MAP:URI="init.mp4"');
    for (let segment = first; segment <= whole; segment += 1) {
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(this.#wallMs(segment * SEGMENT_MS)).toISOString()}`);
      const listed = segment < whole ? PARTS : parts % PARTS;
      for (let part = 0; part < listed && segment > whole - 3 && this.#bad.isClassic !== true; part += 1) {
        lines.push(`#EXT-X-PART:DURATION=0.2,URI="${segment}.${part}.m4s"${part === 0 ? ',INDEPENDENT=YES' : ''}`);
      }
      if (segment < whole) lines.push('#EXTINF:1.000,', `${segment}.m4s`);
    }
    if (this.#bad.isClassic !== true) {
      lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${whole}.${parts % PARTS}.m4s"`);
    }
    return `${lines.join('\n')}\n`;
  }

  /** Wall clock at which media time is captured: a part is published when its last frame is. */
  #wallMs(mediaMs: number): number {
    return this.#startedAtWallMs + mediaMs - BEFORE_MS;
  }

  #answerMedia(name: string, response: ServerResponse): void {
    if (name === 'init.mp4') {
      const track = {
        kind: 'video',
        codec: 'avc',
        config: this.#avcConfig,
        widthPx: 320,
        heightPx: 180,
        timescale: TIMESCALE,
      } as const;
      send(response, 'media', encodeFmp4Init([track]));
      return;
    }
    const [segment = 0, part] = name.replace('.m4s', '').split('.').map(Number);
    const { missingFromMs = Number.POSITIVE_INFINITY } = this.#bad;
    if (segment % 3 === 0 && this.#watchedMs >= missingFromMs) {
      response.writeHead(404).end();
      return;
    }
    if (this.#bad.isText === true) {
      send(response, 'media', '<html>not found</html>');
      return;
    }
    const last = segment * PARTS + (part ?? PARTS - 1);
    const first = part === undefined ? segment * PARTS : last;
    this.#when(last + 1, response, () => send(response, 'media', this.#fragment(first, last - first + 1)));
  }

  #fragment(firstPart: number, parts: number): Uint8Array {
    const { realLength = 1, timestampJump, captureDelayMs = 0 } = this.#bad;
    const frames = (parts * PART_MS) / FRAME_MS;
    const startMs = firstPart * PART_MS;
    const jumpFromMs = BEFORE_MS + this.#firstViewerAtMs - this.#startedAtMs + (timestampJump?.atMs ?? 0);
    const jumpMs = timestampJump !== undefined && startMs >= jumpFromMs ? timestampJump.byMs : 0;
    const samples = Array.from({ length: frames }, (_, index) => {
      const isKeyframe = index === 0 && firstPart % PARTS === 0;
      const capturedMs = this.#wallMs(startMs + index * FRAME_MS) - captureDelayMs;
      return {
        data: insertUserDataSei(picture(isKeyframe), 4, CAPTURE_TIME_SEI_UUID, encodeWallClockSei(capturedMs)),
        durationTicks: Math.round((FRAME_MS * realLength * TIMESCALE) / 1000),
        compositionOffsetTicks: 0,
        isKeyframe,
      };
    });
    const baseDecodeTimeTicks = Math.round(((startMs * realLength + jumpMs) * TIMESCALE) / 1000);
    return encodeFmp4Fragment({
      sequenceNumber: firstPart + 1,
      tracks: [{ trackId: 1, baseDecodeTimeTicks, samples }],
    });
  }
}

/** An access unit of one slice that nobody will decode. */
function picture(isKeyframe: boolean): Uint8Array {
  const slice = Buffer.alloc(64, 0x55);
  slice[0] = isKeyframe ? 0x65 : 0x41;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(slice.length);
  return Buffer.concat([length, slice]);
}

function send(response: ServerResponse, kind: 'text' | 'media', body: string | Uint8Array): void {
  response.writeHead(200, {
    'content-type': kind === 'text' ? 'application/vnd.apple.mpegurl' : 'video/mp4',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
