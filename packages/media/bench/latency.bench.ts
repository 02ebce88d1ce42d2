/**
 * Delay from the encoder's clock to the viewer, by capture time inside the picture (SEI), for FLV, LL-HLS and HLS at once on an
 * otherwise idle server; and how soon a joiner has a picture. For LL-HLS and HLS the hold-back that the list asks of players is
 * added to the age at which media arrives. `node packages/media/bench/latency.bench.ts --help`
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  CAPTURE_TIME_SEI_UUID,
  decodeWallClockSei,
  FlvDemuxer,
  FlvTagType,
  readFlvVideoHeader,
  removeEmulationPrevention,
} from '@showfloor/media-formats';
import { benchClip, putOnAir } from './bench-clip.ts';
import { type Bar, type Column, report } from './bench-report.ts';
import { type BenchServer, SERVERS } from './bench-servers.ts';
import { moveToLoadCore, whyNot } from './machine.ts';

type Row = Readonly<{ what: string; samples: readonly number[]; limitMs: number; remark: string }>;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    joins: { type: 'string', default: '40' },
    clip: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `Usage: npm run bench -- latency [options]

  --seconds 20   how long each protocol is followed
  --joins 40     FLV joins, at moments spread over a GOP
  --clip FILE    FLV to publish; default: the demo clip, or one made by ffmpeg
  --out FILE     write all figures: Markdown when FILE ends in .md, else JSON`;

async function main(): Promise<number> {
  const reason = whyNot();
  if (reason !== null) {
    process.stderr.write(`${reason}\n`);
    return 2;
  }
  moveToLoadCore();
  const folder = mkdtempSync(join(tmpdir(), 'latency-'));
  const server = await SERVERS.showfloor();
  const onAir = await putOnAir(server.rtmpUrl, benchClip(folder, values.clip));
  try {
    await sleep(5_000); // a window of segments
    const [flv, lowLatency, classic] = await Promise.all([
      followFlv(server),
      followParts(server),
      followSegments(server),
    ]);
    const rows: Row[] = [flv, lowLatency, classic, await joinFlv(server)];
    const outcome = {
      title: 'Latency',
      command: 'npm run bench -- latency',
      rows,
      columns: COLUMNS,
      notes: rows.map(({ what, remark }) => `${what}: ${remark}`),
      bars: rows.map(barOf),
      tainted: [],
    };
    return report(outcome, values.out);
  } finally {
    await onAir.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const UUID = Buffer.from(CAPTURE_TIME_SEI_UUID);
const CLOCK_BYTES_MAX = 16;

/** The last capture time in some media bytes, in ms; null when there is none. */
function lastCaptureMs(bytes: Uint8Array): number | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = buffer.lastIndexOf(UUID);
  if (at < 0) return null;
  const start = at + UUID.length;
  return decodeWallClockSei(removeEmulationPrevention(buffer.subarray(start, start + CLOCK_BYTES_MAX)));
}

const urlOf = (server: BenchServer, name: string): string => `http://127.0.0.1:${server.httpPort}/live/${name}`;
const untilMs = (): number => performance.now() + Number(values.seconds) * 1_000;

/** Age of every picture when its tag has arrived whole. */
async function followFlv(server: BenchServer): Promise<Row> {
  const samples: number[] = [];
  const beganMs = performance.now();
  await watchFlv(server, (payload) => {
    const captureMs = lastCaptureMs(payload);
    // What a joiner gets at once is older on purpose.
    if (captureMs !== null && performance.now() - beganMs > 1_500) samples.push(Date.now() - captureMs);
    return performance.now() < beganMs + Number(values.seconds) * 1_000;
  });
  return {
    what: 'HTTP-FLV',
    samples,
    limitMs: 300,
    remark: 'age of a picture when it has arrived; a player adds its buffer',
  };
}

/** Calls `onVideo` for each video tag until it returns false. */
function watchFlv(server: BenchServer, onVideo: (payload: Uint8Array) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpGet(urlOf(server, 'bench.flv'), { agent: false }, (response) => {
      const demuxer = new FlvDemuxer({
        onTag: ({ typeId, payload }) => {
          if (typeId === FlvTagType.video && !onVideo(payload)) {
            request.destroy();
            resolve();
          }
        },
      });
      response.on('data', (chunk: Buffer) => demuxer.push(chunk));
      response.on('error', () => undefined); // we closed it
    });
    request.on('error', (error) => reject(error));
  });
}

async function textOf(url: string): Promise<string> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.text();
}

/** Follows the hinted parts; age of the last picture of a part on arrival, and the hold-back. */
async function followParts(server: BenchServer): Promise<Row> {
  const samples: number[] = [];
  const endMs = untilMs();
  let holdBackMs = 0;
  let text = await textOf(urlOf(server, 'bench/index.m3u8'));
  while (performance.now() < endMs) {
    holdBackMs = Number(/PART-HOLD-BACK=([0-9.]+)/.exec(text)?.[1]) * 1_000;
    const hint = /PRELOAD-HINT:.*URI="([^"]+)"/.exec(text)?.[1] ?? '';
    const [, msn = '', part = ''] = /-(\d+)\.(\d+)\.m4s$/.exec(hint) ?? [];
    const [body, next] = await Promise.all([
      fetch(urlOf(server, `bench/${hint}`)).then(async (answer) => {
        const bytes = new Uint8Array(await answer.arrayBuffer());
        return { bytes, atMs: Date.now(), isThere: answer.ok };
      }),
      textOf(urlOf(server, `bench/index.m3u8?_HLS_msn=${msn}&_HLS_part=${part}`)),
    ]);
    const captureMs = lastCaptureMs(body.bytes);
    // A hint for a part that its segment no longer has is answered with nothing.
    if (body.isThere && captureMs !== null) samples.push(body.atMs - captureMs + holdBackMs);
    text = next;
  }
  const remark = `age of a part's last picture on arrival, and PART-HOLD-BACK (${holdBackMs.toFixed(0)} ms)`;
  return { what: 'LL-HLS', samples, limitMs: 1_200, remark };
}

/** Follows the list as a classic player does: age of a new segment's last picture, and the hold-back. */
async function followSegments(server: BenchServer): Promise<Row> {
  const samples: number[] = [];
  const endMs = untilMs();
  let holdBackMs = 0;
  let seen = '';
  while (performance.now() < endMs) {
    const text = await textOf(urlOf(server, 'bench/index.m3u8'));
    const targetMs = Number(/TARGETDURATION:(\d+)/.exec(text)?.[1]) * 1_000;
    holdBackMs = Number(/[:,]HOLD-BACK=([0-9.]+)/.exec(text)?.[1] ?? (targetMs * 3) / 1_000) * 1_000;
    const newest = text.split('\n').findLast((line) => line.endsWith('.m4s') && !line.startsWith('#')) ?? '';
    if (newest !== seen && newest !== '') {
      const body = await fetch(urlOf(server, `bench/${newest}`));
      const captureMs = lastCaptureMs(new Uint8Array(await body.arrayBuffer()));
      if (captureMs !== null && seen !== '') samples.push(Date.now() - captureMs + holdBackMs);
      seen = newest;
      await sleep(targetMs);
    } else {
      await sleep(targetMs / 2);
    }
  }
  const remark = `age of a segment's last picture when a player that polls has it, and HOLD-BACK (${holdBackMs.toFixed(0)} ms)`;
  return { what: 'HLS', samples, limitMs: 5_000, remark };
}

/** From opening the connection to the first whole keyframe. */
async function joinFlv(server: BenchServer): Promise<Row> {
  const samples: number[] = [];
  for (let join = 0; join < Number(values.joins); join += 1) {
    await sleep(37); // walks over the GOP
    const beganMs = performance.now();
    await watchFlv(server, (payload) => {
      const { kind, isKeyframe } = readFlvVideoHeader(payload);
      return !(kind === 'frames' && isKeyframe);
    });
    samples.push(performance.now() - beganMs);
  }
  return { what: 'FLV join', samples, limitMs: 500, remark: 'from opening the connection to the first whole keyframe' };
}

function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const COLUMNS: readonly Column<Row>[] = [
  ['what', (row) => row.what],
  ['samples', (row) => String(row.samples.length)],
  ['p50 ms', (row) => percentile(row.samples, 0.5).toFixed(0)],
  ['p95 ms', (row) => percentile(row.samples, 0.95).toFixed(0)],
  ['max ms', (row) => percentile(row.samples, 1).toFixed(0)],
];

function barOf({ what, samples, limitMs }: Row): Bar {
  const p95 = percentile(samples, 0.95);
  return { text: `${what}: p95 ${p95.toFixed(0)} ms of ${samples.length}, at most ${limitMs}`, isHeld: p95 <= limitMs };
}

if (values.help) {
  process.stdout.write(`${HELP}\n`);
} else {
  process.exitCode = await main();
}
