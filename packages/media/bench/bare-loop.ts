/**
 * The floor of what this machine can do with Node: one shared write per viewer per tick and nothing else. No ingest, no
 * authentication, no limits, no figures; plays a clip by itself, each picture stamped with its time. What our server costs above
 * this is ours; what this costs is the kernel's. `node bare-loop.ts PORT CLIP TICK_MS`
 */
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import {
  CAPTURE_TIME_SEI_UUID,
  encodeFlvHeader,
  encodeFlvTag,
  encodeWallClockSei,
  insertUserDataSeiAt,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { type LoopFrame, readFlvLoop } from '@showfloor/rtmp-client';

const [portText, clip = '', tickText] = process.argv.slice(2);
const tickMs = Number(tickText);
const loop = readFlvLoop(readFileSync(clip));
const head = Buffer.concat([
  Buffer.from('HTTP/1.1 200 OK\r\ncontent-type: video/x-flv\r\nconnection: close\r\n\r\n'),
  encodeFlvHeader({ hasVideo: true, hasAudio: true }),
  ...loop.headers.map((tag) => encodeFlvTag(tag)),
]);
/** Viewers get the head at once and tags from the next tick on: this client needs no keyframe to begin with. */
const viewers = new Set<Socket>();

createServer({ noDelay: true }, (socket) => {
  socket.once('data', () => {
    socket.write(head);
    viewers.add(socket);
  });
  socket.on('close', () => viewers.delete(socket));
  socket.on('error', () => viewers.delete(socket));
}).listen({ port: Number(portText), host: '127.0.0.1', backlog: 4_096 });

const beganMs = performance.now();
let round = 0;
let index = 0;
let nextTickMs = beganMs;

function stamped(frame: LoopFrame): Buffer {
  const { tag } = frame;
  const timestampMs = round * loop.durationMs + frame.timeMs;
  if (!frame.isAvcPicture) return Buffer.from(encodeFlvTag({ ...tag, timestampMs }));
  const { dataOffset } = readFlvVideoHeader(tag.payload);
  const clock = encodeWallClockSei(Date.now());
  const payload = insertUserDataSeiAt(tag.payload, dataOffset, loop.nalLengthSize, CAPTURE_TIME_SEI_UUID, clock, 'avc');
  return Buffer.from(encodeFlvTag({ ...tag, timestampMs, payload }));
}

/** Frames become due one by one, so that each is stamped with its own time; what is due by a tick leaves with it. */
const waiting: Buffer[] = [];
function step(): void {
  const nowMs = performance.now();
  for (;;) {
    const frame = loop.frames[index];
    if (frame === undefined) {
      round += 1;
      index = 0;
      continue;
    }
    if (beganMs + round * loop.durationMs + frame.timeMs > nowMs) break;
    waiting.push(stamped(frame));
    index += 1;
  }
  if (nowMs >= nextTickMs) {
    nextTickMs = Math.max(nextTickMs + tickMs, nowMs);
    const tick = Buffer.concat(waiting.splice(0));
    if (tick.length > 0) for (const socket of viewers) socket.write(tick);
  }
  setTimeout(step, 2);
}
step();
