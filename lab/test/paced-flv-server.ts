/**
 * A small real HTTP-FLV server that plays a clip made by ffmpeg in real time, and can misbehave in ways that a lab must
 * notice. Each picture carries its capture time.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import {
  CAPTURE_TIME_SEI_UUID,
  concatBytes,
  encodeFlvHeader,
  encodeFlvTag,
  encodeWallClockSei,
  type FlvTag,
  INGEST_TIME_SEI_UUID,
  insertUserDataSei,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { type FlvLoop, type LoopFrame, readFlvLoop } from '@showfloor/rtmp-client';

/** What the server does wrong. Times count from when the first viewer came (the probe before the run is none). */
export type Misbehaviour = {
  /** Nothing is sent for this long; then what was due comes at once, and real time goes on. */
  readonly stall?: { readonly atMs: number; readonly forMs: number };
  /** Answers 200 and an FLV header, and nothing after it. */
  readonly isSilent?: boolean;
  /** Timestamps jump by this much at this instant. */
  readonly timestampJump?: { readonly atMs: number; readonly byMs: number };
  /** Every connection is closed at this instant. */
  readonly dropAtMs?: number;
  /** Capture times are this much older than the sending. */
  readonly captureDelayMs?: number;
  /** The server stamps each picture with its own clock, too. */
  readonly stampsIngest?: boolean;
  readonly status?: number;
};

/** One picture on its way. `atMs` is monotonic. */
export type SentPicture = { readonly atMs: number; readonly dtsMs: number; readonly isKeyframe: boolean };

/** A running server; its owner awaits `close()`. */
export type PacedFlvServer = {
  readonly url: string;
  /** Pictures as they really left, since the first viewer came: what a stall was, not what it should have been. */
  readonly sent: readonly SentPicture[];
  readonly close: () => Promise<void>;
};

const CLIP = resolve(import.meta.dirname, '../../packages/media-formats/fixtures/avc-aac-320x180.flv');
const TICK_MS = 5;

type Viewer = { readonly response: ServerResponse; hasKeyframe: boolean };

/** Starts it on a loopback port, a free one by default. */
export async function startPacedFlvServer(misbehaviour: Misbehaviour = {}, listenPort = 0): Promise<PacedFlvServer> {
  const loop = readFlvLoop(readFileSync(CLIP));
  const viewers = new Set<Viewer>();
  const clock = {
    startedAtMs: performance.now(),
    firstViewerAtMs: Number.POSITIVE_INFINITY,
    sent: [] as SentPicture[],
  };
  const server = createServer((request, response) => {
    if (request.headers['x-forwarded-for'] !== undefined) {
      clock.firstViewerAtMs = Math.min(clock.firstViewerAtMs, performance.now());
    }
    response.writeHead(misbehaviour.status ?? 200, { 'Content-Type': 'video/x-flv' });
    if (misbehaviour.status !== undefined) return void response.end('no');
    response.write(encodeFlvHeader({ hasAudio: true, hasVideo: true }));
    for (const header of loop.headers) response.write(encodeFlvTag(header));
    const viewer = { response, hasKeyframe: false };
    if (misbehaviour.isSilent !== true) viewers.add(viewer);
    response.once('close', () => viewers.delete(viewer));
  });
  await listen(server, listenPort);
  const stop = pace(loop, clock, misbehaviour, viewers);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/live/test.flv`,
    sent: clock.sent,
    close: () => {
      stop();
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

type Clock = {
  readonly startedAtMs: number;
  readonly firstViewerAtMs: number;
  readonly sent: SentPicture[];
};

function pace(loop: FlvLoop, clock: Clock, bad: Misbehaviour, viewers: Set<Viewer>): () => void {
  let [round, index] = [0, 0];
  let hasDropped = false;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const elapsedMs = nowMs - clock.startedAtMs;
    const watchedMs = nowMs - clock.firstViewerAtMs;
    if (bad.dropAtMs !== undefined && watchedMs >= bad.dropAtMs && !hasDropped) {
      hasDropped = true;
      for (const { response } of viewers) response.destroy();
    }
    const { atMs, forMs } = bad.stall ?? { atMs: Number.POSITIVE_INFINITY, forMs: 0 };
    if (watchedMs >= atMs && watchedMs < atMs + forMs) return;
    const jumpFromMs = clock.firstViewerAtMs - clock.startedAtMs + (bad.timestampJump?.atMs ?? 0);
    for (;;) {
      const frame = loop.frames[index];
      const timeMs = round * loop.durationMs + (frame?.timeMs ?? 0);
      if (frame === undefined || timeMs > elapsedMs) return;
      const jumpMs = bad.timestampJump && timeMs >= jumpFromMs ? bad.timestampJump.byMs : 0;
      const captureMs = Date.now() - (elapsedMs - timeMs) - (bad.captureDelayMs ?? 0);
      send(
        viewers,
        frame,
        encodeFlvTag(
          stamp(loop, frame, Math.max(0, Math.round(timeMs + jumpMs)), captureMs, bad.stampsIngest === true),
        ),
      );
      if (frame.isAvcPicture && nowMs >= clock.firstViewerAtMs) {
        clock.sent.push({ atMs: nowMs, dtsMs: Math.round(timeMs + jumpMs), isKeyframe: frame.isKeyframe });
      }
      index = (index + 1) % loop.frames.length;
      if (index === 0) round += 1;
    }
  }, TICK_MS);
  return () => clearInterval(timer);
}

function send(viewers: Set<Viewer>, frame: LoopFrame, bytes: Uint8Array): void {
  for (const viewer of viewers) {
    viewer.hasKeyframe ||= frame.isKeyframe;
    if (viewer.hasKeyframe) viewer.response.write(bytes);
  }
}

function stamp(
  loop: FlvLoop,
  { tag, isAvcPicture }: LoopFrame,
  timestampMs: number,
  captureMs: number,
  stampsIngest: boolean,
): FlvTag {
  if (!isAvcPicture) return { ...tag, timestampMs };
  const { dataOffset } = readFlvVideoHeader(tag.payload);
  const insert = (unit: Uint8Array, uuid: Uint8Array, wallMs: number): Uint8Array =>
    insertUserDataSei(unit, loop.nalLengthSize, uuid, encodeWallClockSei(wallMs));
  const captured = insert(tag.payload.subarray(dataOffset), CAPTURE_TIME_SEI_UUID, captureMs);
  const picture = stampsIngest ? insert(captured, INGEST_TIME_SEI_UUID, Date.now()) : captured;
  return { ...tag, timestampMs, payload: concatBytes([tag.payload.subarray(0, dataOffset), picture]) };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((done) => server.listen(port, '127.0.0.1', done));
}
