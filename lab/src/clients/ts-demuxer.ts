/**
 * MPEG-TS as HLS carries it: packets in, pictures and packets of sound out. Incremental, no I/O, and bounded: of a picture only what
 * comes before the picture itself is of interest here, so no more than that is kept. Bytes that are no transport stream: RangeError.
 * Spec: ISO/IEC 13818-1, 2.4.
 */

/** What a stream of the programme holds, by its type in the programme map (table 2-34). Others are passed over. */
const CODECS: Readonly<Record<number, TsCodec>> = { 27: 'avc', 36: 'hevc', 15: 'aac' };
/** What can be read. */
export type TsCodec = 'avc' | 'hevc' | 'aac';

/** One PES packet: a picture, or some frames of sound. Times are 90 kHz ticks of 33 bits, as they stand there. */
export type TsUnit = {
  readonly codec: TsCodec;
  readonly dtsTicks: number;
  readonly ptsTicks: number;
  /** The beginning of the payload, at most {@link TS_HEAD_BYTES_MAX}; valid until the next call. */
  readonly head: Uint8Array;
};

/** One packet. */
export const TS_PACKET_BYTES = 188;
const SYNC = 0x47;
/** Of each unit this much is kept: delimiters, parameter sets and clocks of a picture, or the frame headers of sound. */
export const TS_HEAD_BYTES_MAX = 65_536;
/** A table of one programme is far smaller; section_length has 12 bits. */
const SECTION_BYTES_MAX = 1024;
/** More elementary streams than any programme of ours has are passed over. */
export const TS_STREAMS_MAX = 16;
const PAT_PID = 0;
const PAT_TABLE = 0;
const PMT_TABLE = 2;

type Stream = {
  readonly codec: TsCodec;
  readonly head: Uint8Array;
  bytes: number;
  isOpen: boolean;
  continuity: number;
};
type Section = { bytes: Uint8Array; length: number };

/** One segment, or several in a row of the same programme. */
export class TsDemuxer {
  readonly #onUnit: (unit: TsUnit) => void;
  readonly #packet = new Uint8Array(TS_PACKET_BYTES);
  #packetBytes = 0;
  #pmtPid: number | null = null;
  readonly #streams = new Map<number, Stream>();
  readonly #sections = new Map<number, Section>();
  #lostPackets = 0;

  constructor(onUnit: (unit: TsUnit) => void) {
    this.#onUnit = onUnit;
  }

  /** Times that the continuity counter of a stream did not go on: something is missing. */
  get lostPackets(): number {
    return this.#lostPackets;
  }

  /** What the programme map named so far. */
  get codecs(): TsCodec[] {
    return [...this.#streams.values()].map(({ codec }) => codec);
  }

  /** Throws RangeError at a packet without its sync byte. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#packetBytes === 0 && bytes.length - at >= TS_PACKET_BYTES) {
        this.#take(bytes.subarray(at, at + TS_PACKET_BYTES));
        at += TS_PACKET_BYTES;
        continue;
      }
      const piece = bytes.subarray(at, at + TS_PACKET_BYTES - this.#packetBytes);
      this.#packet.set(piece, this.#packetBytes);
      this.#packetBytes += piece.length;
      at += piece.length;
      if (this.#packetBytes < TS_PACKET_BYTES) return;
      this.#packetBytes = 0;
      this.#take(this.#packet);
    }
  }

  /** The segment is over: what is open is told. Throws RangeError when it ends inside a packet. */
  end(): void {
    for (const stream of this.#streams.values()) this.#close(stream);
    const left = this.#packetBytes;
    this.#packetBytes = 0;
    if (left > 0) throw new RangeError(`the transport stream ends ${left} bytes into a packet`);
  }

  #take(packet: Uint8Array): void {
    if (packet[0] !== SYNC) throw new RangeError('a packet of the transport stream does not begin with its sync byte');
    const [, flags = 0, pidLow = 0, control = 0] = packet;
    const isStart = (flags & 0x40) !== 0;
    const isBroken = (flags & 0x80) !== 0; // transport_error_indicator
    const pid = ((flags & 0x1f) << 8) | pidLow;
    const hasAdaptation = (control & 0x20) !== 0;
    if ((control & 0x10) === 0 || isBroken) return; // no payload
    const from = hasAdaptation ? 5 + (packet[4] ?? 0) : 4;
    if (from >= TS_PACKET_BYTES) return;
    const payload = packet.subarray(from);
    if (pid === PAT_PID || pid === this.#pmtPid) {
      this.#takeSection(pid, payload, isStart);
      return;
    }
    const stream = this.#streams.get(pid);
    if (stream !== undefined)
      this.#takePes(stream, payload, isStart, control & 0x0f, hasAdaptation ? (packet[5] ?? 0) : 0);
  }

  #takePes(stream: Stream, payload: Uint8Array, isStart: boolean, continuity: number, adaptation: number): void {
    const isMarked = (adaptation & 0x80) !== 0; // discontinuity_indicator
    const expected = (stream.continuity + 1) & 0x0f;
    if (stream.continuity === continuity && !isMarked) return; // a packet may be sent twice (2.4.3.3)
    if (stream.continuity >= 0 && continuity !== expected && !isMarked) {
      this.#lostPackets += 1;
      stream.isOpen = false; // half a picture is none
    }
    stream.continuity = continuity;
    if (isStart) {
      this.#close(stream);
      stream.isOpen = true;
      stream.bytes = 0;
    }
    if (!stream.isOpen) return;
    const piece = payload.subarray(0, TS_HEAD_BYTES_MAX - stream.bytes);
    stream.head.set(piece, stream.bytes);
    stream.bytes += piece.length;
  }

  #close(stream: Stream): void {
    if (!stream.isOpen) return;
    stream.isOpen = false;
    const pes = stream.head.subarray(0, stream.bytes);
    const times = readPesTimes(pes);
    if (times === null) return;
    this.#onUnit({ codec: stream.codec, ...times, head: pes.subarray(9 + (pes[8] ?? 0)) });
  }

  /** Tables may run over several packets. 2.4.4. */
  #takeSection(pid: number, payload: Uint8Array, isStart: boolean): void {
    let rest = payload;
    if (isStart) {
      rest = payload.subarray(1 + (payload[0] ?? 0));
      this.#sections.set(pid, { bytes: new Uint8Array(SECTION_BYTES_MAX), length: 0 });
    }
    const section = this.#sections.get(pid);
    if (section === undefined) return;
    const piece = rest.subarray(0, SECTION_BYTES_MAX - section.length);
    section.bytes.set(piece, section.length);
    section.length += piece.length;
    if (section.length < 3) return;
    const length = 3 + ((((section.bytes[1] ?? 0) & 0x0f) << 8) | (section.bytes[2] ?? 0));
    if (length > SECTION_BYTES_MAX) this.#sections.delete(pid);
    if (section.length < length || length > SECTION_BYTES_MAX) return;
    this.#sections.delete(pid);
    const table = section.bytes.subarray(0, Math.max(0, length - 4)); // without its checksum
    if (pid === PAT_PID && table[0] === PAT_TABLE) this.#readPat(table);
    else if (pid === this.#pmtPid && table[0] === PMT_TABLE) this.#readPmt(table);
  }

  /** The first programme; 0 is the network's own. */
  #readPat(table: Uint8Array): void {
    for (let at = 8; at + 4 <= table.length; at += 4) {
      if (((table[at] ?? 0) << 8) + (table[at + 1] ?? 0) === 0) continue;
      const pid = (((table[at + 2] ?? 0) & 0x1f) << 8) | (table[at + 3] ?? 0);
      if (pid !== this.#pmtPid) this.#streams.clear();
      this.#pmtPid = pid;
      return;
    }
  }

  #readPmt(table: Uint8Array): void {
    const infoBytes = (((table[10] ?? 0) & 0x0f) << 8) | (table[11] ?? 0);
    for (let at = 12 + infoBytes; at + 5 <= table.length; ) {
      const codec = CODECS[table[at] ?? 0];
      const pid = (((table[at + 1] ?? 0) & 0x1f) << 8) | (table[at + 2] ?? 0);
      at += 5 + ((((table[at + 3] ?? 0) & 0x0f) << 8) | (table[at + 4] ?? 0));
      if (codec === undefined || this.#streams.get(pid)?.codec === codec) continue;
      if (this.#streams.size >= TS_STREAMS_MAX) return;
      this.#streams.set(pid, {
        codec,
        head: new Uint8Array(TS_HEAD_BYTES_MAX),
        bytes: 0,
        isOpen: false,
        continuity: -1,
      });
    }
  }
}

/** PTS and DTS of a PES header; null without a PTS. 2.4.3.6. */
function readPesTimes(pes: Uint8Array): { readonly dtsTicks: number; readonly ptsTicks: number } | null {
  const isPes = pes[0] === 0 && pes[1] === 0 && pes[2] === 1;
  const flags = (pes[7] ?? 0) >> 6;
  const headerBytes = pes[8] ?? 0;
  if (!isPes || (flags & 2) === 0 || headerBytes < (flags === 3 ? 10 : 5) || pes.length < 9 + headerBytes) return null;
  const ptsTicks = readTicks(pes, 9);
  return { ptsTicks, dtsTicks: flags === 3 ? readTicks(pes, 14) : ptsTicks };
}

/** 33 bits in five bytes, with marker bits between. */
function readTicks(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes.subarray(at, at + 5);
  return ((a >> 1) & 0x07) * 2 ** 30 + ((b << 22) | ((c >> 1) << 15) | (d << 7) | (e >> 1));
}
