/**
 * The load client of `flv-load.c` for machines without a C compiler: same arguments, same output. One shared read buffer for
 * all sockets. Saturates earlier than the C one; its `clientCpu` tells.
 */
import { connect } from 'node:net';
import { CAPTURE_TIME_SEI_UUID, decodeWallClockSei, removeEmulationPrevention } from '@showfloor/media-formats';

const [portText, path = '', ...numbers] = process.argv.slice(2);
const port = Number(portText);
const [count = 0, rampPerSecond = 1, warmupSeconds = 0, seconds = 0] = numbers.map(Number);

const SCAN_BYTES = 160;
const TAG_HEADER_BYTES = 11;
const STALL_MS = 1_000;
const LATENCY_MAX_MS = 60_000;

const uuid = Buffer.from(CAPTURE_TIME_SEI_UUID);
const latencies = new Uint32Array(LATENCY_MAX_MS + 1);
let isMeasuring = false;

class Viewer {
  bytes = 0;
  stalls = 0;
  lastDataMs = performance.now();
  isOk = false;
  isClosed = false;
  isFailed = false;
  #opening = Buffer.alloc(0);
  #isOpen = false;
  readonly #head = Buffer.alloc(TAG_HEADER_BYTES + SCAN_BYTES);
  #filled = 0;
  #wanted = TAG_HEADER_BYTES;
  #skip = 0;

  receive(bytes: Buffer): void {
    const nowMs = performance.now();
    if (isMeasuring) {
      this.bytes += bytes.length;
      if (nowMs - this.lastDataMs > STALL_MS) this.stalls += 1;
    }
    this.lastDataMs = nowMs;
    if (this.#isOpen) this.#parse(bytes);
    else this.#open(bytes);
  }

  #open(bytes: Buffer): void {
    this.#opening = Buffer.concat([this.#opening, bytes]);
    const end = this.#opening.indexOf('\r\n\r\n');
    if (end < 0 || this.#opening.length < end + 4 + 13) return;
    this.isOk = this.#opening.toString('latin1', 9, 12) === '200';
    this.#isOpen = true;
    this.#parse(this.#opening.subarray(end + 4 + 13));
    this.#opening = Buffer.alloc(0);
  }

  #parse(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#filled < this.#wanted) {
        const taken = Math.min(bytes.length - at, this.#wanted - this.#filled);
        bytes.copy(this.#head, this.#filled, at, at + taken);
        this.#filled += taken;
        at += taken;
        if (this.#filled === TAG_HEADER_BYTES && this.#wanted === TAG_HEADER_BYTES) {
          const payloadBytes = this.#head.readUIntBE(1, 3);
          const scanned = Math.min(payloadBytes, SCAN_BYTES);
          this.#wanted = TAG_HEADER_BYTES + scanned;
          this.#skip = payloadBytes - scanned + 4;
        }
        continue;
      }
      const skipped = Math.min(bytes.length - at, this.#skip);
      this.#skip -= skipped;
      at += skipped;
      if (this.#skip > 0) continue;
      this.#scan();
      this.#filled = 0;
      this.#wanted = TAG_HEADER_BYTES;
    }
  }

  #scan(): void {
    if (!isMeasuring || this.#head[0] !== 9) return;
    const payload = this.#head.subarray(TAG_HEADER_BYTES, this.#filled);
    const at = payload.indexOf(uuid);
    if (at < 0) return;
    const captureMs = decodeWallClockSei(removeEmulationPrevention(payload.subarray(at + uuid.length)));
    if (captureMs === null) return;
    const latencyMs = Math.min(LATENCY_MAX_MS, Math.max(0, Date.now() - captureMs));
    latencies[latencyMs] = (latencies[latencyMs] ?? 0) + 1;
  }
}

const sharedBuffer = Buffer.alloc(256 * 1024);

function open(viewer: Viewer): void {
  const socket = connect({
    host: '127.0.0.1',
    port,
    onread: {
      buffer: sharedBuffer,
      callback: (length) => {
        viewer.receive(sharedBuffer.subarray(0, length));
        return true;
      },
    },
  });
  socket.on('connect', () => socket.write(`GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`));
  socket.on('error', () => {
    viewer.isFailed = true;
  });
  socket.on('close', () => {
    viewer.isClosed = true;
  });
}

function percentile(share: number): number {
  const total = latencies.reduce((sum, value) => sum + value, 0);
  let seen = 0;
  for (let ms = 0; ms <= LATENCY_MAX_MS; ms += 1) {
    seen += latencies[ms] ?? 0;
    if (total > 0 && (seen > share * total || seen === total)) return ms;
  }
  return -1;
}

const viewers: Viewer[] = [];
const startMs = performance.now();
const ramp = setInterval(() => {
  const due = Math.min(count, Math.ceil(((performance.now() - startMs) * rampPerSecond) / 1000));
  while (viewers.length < due) {
    const viewer = new Viewer();
    viewers.push(viewer);
    open(viewer);
  }
  if (viewers.length < count) return;
  clearInterval(ramp);
  setTimeout(measure, warmupSeconds * 1000);
}, 2);

function measure(): void {
  const beganMs = performance.now();
  const cpu = process.cpuUsage();
  for (const viewer of viewers) viewer.lastDataMs = beganMs;
  isMeasuring = true;
  process.stdout.write('MEASURE\n');
  setTimeout(() => report(beganMs, cpu), seconds * 1000);
}

function report(beganMs: number, cpuBefore: NodeJS.CpuUsage): void {
  const endMs = performance.now();
  const elapsed = (endMs - beganMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  for (const viewer of viewers) if (!viewer.isClosed && endMs - viewer.lastDataMs > STALL_MS) viewer.stalls += 1;
  const byBytes = viewers.map((viewer) => viewer.bytes).toSorted((a, b) => a - b);
  const mbps = (bytes: number): number => (bytes * 8) / 1e6 / elapsed;
  const result = {
    viewers: count,
    failed: viewers.filter((viewer) => viewer.isFailed).length,
    refused: viewers.filter((viewer) => !viewer.isOk).length,
    closed: viewers.filter((viewer) => viewer.isClosed).length,
    withoutData: viewers.filter((viewer) => viewer.bytes === 0).length,
    stalls: viewers.reduce((sum, viewer) => sum + viewer.stalls, 0),
    stalledViewers: viewers.filter((viewer) => viewer.stalls > 0).length,
    mbps: mbps(byBytes.reduce((sum, bytes) => sum + bytes, 0)),
    mbpsMedian: mbps(byBytes[Math.floor(count / 2)] ?? 0),
    mbpsMin: mbps(byBytes[0] ?? 0),
    samples: latencies.reduce((sum, value) => sum + value, 0),
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    p99Ms: percentile(0.99),
    maxMs: percentile(1),
    clientCpu: (cpu.user + cpu.system) / 1e6 / elapsed,
    seconds: elapsed,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}
