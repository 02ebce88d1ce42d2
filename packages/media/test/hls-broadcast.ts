/** A stream with an HLS packager, fed from recorded publishes as fast as a test likes. */
import { readFileSync } from 'node:fs';
import {
  concatBytes,
  FlvDemuxer,
  type FlvTag,
  FlvTagType,
  readFlvAudioHeader,
  readFlvVideoHeader,
} from '@showfloor/media-formats';
import { createMetrics } from '@showfloor/service-kit';
import { createHlsMetrics } from '../src/hls/hls-metrics.ts';
import { HLS_OPTIONS, type HlsOptions } from '../src/hls/hls-options.ts';
import { HlsPackager, type HlsWindow } from '../src/hls/hls-packager.ts';
import { GOP_LIMITS } from '../src/hub/gop-cache.ts';
import { type SourcePacket, Stream } from '../src/hub/stream.ts';

const FIXTURES = new URL('../../media-formats/fixtures/', import.meta.url);
const FIRST_SEQUENCE = 500;

/** The packets of a recorded publish. */
export function recorded(name: string): readonly SourcePacket[] {
  const packets: SourcePacket[] = [];
  const onTag = (tag: FlvTag): void => {
    const packet = toPacket(tag);
    if (packet !== null) packets.push(packet);
  };
  new FlvDemuxer({ onTag }).push(new Uint8Array(readFileSync(new URL(name, FIXTURES))));
  return packets;
}

function toPacket({ typeId, timestampMs, payload }: FlvTag): SourcePacket | null {
  if (typeId === FlvTagType.video) {
    const { kind, isKeyframe } = readFlvVideoHeader(payload);
    return { track: 'video', kind, isKeyframe, timestampMs, payload };
  }
  if (typeId !== FlvTagType.audio) return null;
  return { track: 'audio', kind: readFlvAudioHeader(payload).kind, isKeyframe: false, timestampMs, payload };
}

/** A playlist, as far as tests ask. */
export type ListUnderTest = Readonly<{
  text: string;
  mediaSequence: number;
  discontinuitySequence: number;
  targetS: number;
  /** Names of whole segments, `!` in front of those with a discontinuity. */
  segments: readonly string[];
  maps: readonly string[];
  parts: readonly string[];
  datesMs: readonly number[];
  durationsMs: readonly number[];
  hint: string | null;
}>;

/** See the file. Time is the media's: the wall clock of the stream stands still between packets. */
export class HlsBroadcast implements Disposable {
  readonly stream: Stream;
  readonly packager: HlsPackager;
  readonly windows: HlsWindow[] = [];
  readonly #registry = createMetrics('hls-test');
  #nowMs = 1_000_000;
  #sourceMs = 0;

  constructor(first: readonly SourcePacket[], hls: Partial<HlsOptions> = {}) {
    this.stream = new Stream('show', {
      gop: GOP_LIMITS,
      onGopOverflow: () => undefined,
      onUnreadableHeader: () => undefined,
      readClock: () => ({ monotonicMs: this.#nowMs, wallMs: 1_700_000_000_000 + this.#nowMs }),
      onOutputFailed: (error) => {
        throw error;
      },
    });
    this.stream.beginSource();
    for (const packet of first) if (packet.kind === 'sequence-header') this.stream.push(packet);
    this.stream.goLive();
    this.packager = new HlsPackager(this.stream, {
      hls: { ...HLS_OPTIONS, ...hls },
      metrics: createHlsMetrics(this.#registry),
      firstSequence: FIRST_SEQUENCE,
    });
    this.packager.onChange(() => {
      if (this.packager.window !== null) this.windows.push(this.packager.window);
    });
  }

  get list(): ListUnderTest {
    return readList(this.packager.window?.playlist.toString() ?? '');
  }

  /** Plays packets, `times` times over, in the time they take; the last picture of a round lasts `lastFrameMs`. */
  play(packets: readonly SourcePacket[], times = 1, lastFrameMs = 40): void {
    const hasPictures = packets.some(({ track }) => track === 'video');
    const isFirst = ({ track, kind }: SourcePacket): boolean =>
      kind === 'frames' && (track === 'video' || !hasPictures);
    const firstMs = packets.find(isFirst)?.timestampMs ?? 0;
    for (let round = 0; round < times; round += 1) {
      const startMs = this.#nowMs;
      let lengthMs = 0;
      for (const packet of packets) {
        this.#nowMs = startMs + packet.timestampMs;
        this.stream.push({ ...packet, timestampMs: this.#sourceMs + packet.timestampMs });
        const isMeasure = packet.kind === 'frames' && (packet.track === 'video' || !hasPictures);
        if (isMeasure) lengthMs = Math.max(lengthMs, packet.timestampMs - firstMs);
      }
      this.#sourceMs += lengthMs + lastFrameMs;
      this.#nowMs = startMs + lengthMs + lastFrameMs;
    }
  }

  /** The publisher goes, and comes back after `awayMs` with clocks of its own. */
  dropOut(awayMs: number): void {
    this.stream.interrupt();
    this.#nowMs += awayMs;
    this.#sourceMs = 0;
    this.stream.beginSource();
    this.stream.goLive();
  }

  /** Bytes of an object; empty when it is not there. */
  bytesOf(name: string): Uint8Array {
    const object = this.packager.object(name);
    return object === undefined || object === 'pending' ? new Uint8Array() : concatBytes(object.body);
  }

  async metric(name: string): Promise<string> {
    const lines = (await this.#registry.metrics()).split('\n').filter((line) => line.startsWith(name));
    return lines
      .map((line) =>
        line
          .replace(/service="[^"]*"/, '')
          .replace(',}', '}')
          .replace('{}', ''),
      )
      .join('\n');
  }

  [Symbol.dispose](): void {
    this.packager.dispose();
  }
}

function readList(text: string): ListUnderTest {
  const all = (pattern: RegExp): string[] => Array.from(text.matchAll(pattern), (match) => match[1] ?? '');
  const segments: string[] = [];
  let hasDiscontinuity = false;
  for (const line of text.split('\n')) {
    if (line === '#EXT-X-DISCONTINUITY') hasDiscontinuity = true;
    if (line === '' || line.startsWith('#')) continue;
    segments.push((hasDiscontinuity ? '!' : '') + line);
    hasDiscontinuity = false;
  }
  return {
    text,
    segments,
    mediaSequence: Number(all(/#EXT-X-MEDIA-SEQUENCE:(\d+)/g)[0]),
    discontinuitySequence: Number(all(/#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)/g)[0] ?? 0),
    targetS: Number(all(/#EXT-X-TARGETDURATION:(\d+)/g)[0]),
    maps: all(/#EXT-X-MAP:URI="([^"]+)"/g),
    parts: all(/#EXT-X-PART:.*URI="([^"]+)"/g),
    datesMs: all(/#EXT-X-PROGRAM-DATE-TIME:(\S+)/g).map((date) => Date.parse(date)),
    durationsMs: all(/#EXTINF:([\d.]+)/g).map((duration) => Number(duration) * 1_000),
    hint: all(/#EXT-X-PRELOAD-HINT:.*URI="([^"]+)"/g)[0] ?? null,
  };
}
