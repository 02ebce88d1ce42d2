/** What the recording tests stand on: a real stream fed from a file by ffmpeg, and ffprobe for what came out. */
import { readFileSync } from 'node:fs';
import { FlvDemuxer, FlvTagType, readFlvAudioHeader, readFlvVideoHeader } from '@showfloor/media-formats';
import { type SourcePacket, Stream } from '../src/hub/stream.ts';
import { run } from './plane-under-test.ts';

/** A fixture's media packets. 50 pictures and 95 sounds in 2 s in `avc-aac-320x180.flv`. */
export function packetsOf(name = 'avc-aac-320x180.flv'): SourcePacket[] {
  const packets: SourcePacket[] = [];
  const demuxer = new FlvDemuxer({
    tagBytesMax: 1_000_000,
    onTag: ({ typeId, timestampMs, payload }) => {
      if (typeId === FlvTagType.script) return;
      const isVideo = typeId === FlvTagType.video;
      const header = isVideo ? readFlvVideoHeader(payload) : readFlvAudioHeader(payload);
      const isKeyframe = 'isKeyframe' in header && header.isKeyframe;
      packets.push({ track: isVideo ? 'video' : 'audio', kind: header.kind, isKeyframe, timestampMs, payload });
    },
  });
  demuxer.push(new Uint8Array(readFileSync(new URL(`../../media-formats/fixtures/${name}`, import.meta.url))));
  return packets;
}

/** A stream whose publisher sends a fixture over and over, as fast as the test says. */
export class StreamUnderTest {
  readonly stream: Stream;
  #timestampMs = 0;

  constructor(playbackId = 'show-r') {
    this.stream = new Stream(playbackId, {
      gop: { packetsMax: 1_000, bytesMax: 10_000_000 },
      onGopOverflow: () => undefined,
      onUnreadableHeader: () => undefined,
    });
    this.stream.beginSource();
  }

  /** The publisher sends this, in continuing timestamps. */
  send(packets: readonly SourcePacket[]): void {
    let lastMs = 0;
    for (const packet of packets) {
      if (packet.kind === 'frames') this.stream.goLive();
      this.stream.push({ ...packet, timestampMs: packet.timestampMs + this.#timestampMs });
      lastMs = packet.timestampMs;
    }
    this.#timestampMs += lastMs + 20;
  }

  /** The publisher is gone, and another connection of it comes with a clock of its own. */
  drop(): void {
    this.stream.interrupt();
    this.stream.beginSource();
    this.#timestampMs = 1_000_000 + Math.round(Math.random() * 1e6);
  }
}

/** What ffprobe finds in a file; `complaints` is what it and a full decode print. */
export type Probed = Readonly<{
  pictures: number;
  sounds: number;
  durationMs: number;
  firstMs: number;
  isMonotonic: boolean;
  /** Longest step between two pictures. */
  stepMsMax: number;
  complaints: string;
}>;

/** Probes a file packet by packet and decodes all of it. */
export async function probe(path: string): Promise<Probed> {
  const entries = ['-show_entries', 'packet=codec_type,dts_time:format=duration', '-of', 'json'];
  const probed = await run('ffprobe', ['-v', 'error', ...entries, path]);
  const found = JSON.parse(probed.stdout) as {
    packets?: { codec_type: string; dts_time: string }[];
    format?: { duration?: string };
  };
  const decoded = await run('ffmpeg', ['-v', 'error', '-i', path, '-f', 'null', '-']);
  const timesOf = (kind: string): number[] =>
    (found.packets ?? [])
      .filter((packet) => packet.codec_type === kind)
      .map((packet) => Number(packet.dts_time) * 1_000);
  const [video, audio] = [timesOf('video'), timesOf('audio')];
  const stepsOf = (times: number[]): number[] => times.slice(1).map((time, index) => time - (times[index] ?? 0));
  return {
    pictures: video.length,
    sounds: audio.length,
    durationMs: Math.round(Number(found.format?.duration ?? 0) * 1_000),
    firstMs: Math.round(Math.min(video[0] ?? Number.POSITIVE_INFINITY, audio[0] ?? Number.POSITIVE_INFINITY)),
    isMonotonic: [...stepsOf(video), ...stepsOf(audio)].every((step) => step > 0),
    stepMsMax: Math.round(Math.max(0, ...stepsOf(video))),
    complaints: probed.stderr + decoded.stderr,
  };
}
