/** An Enhanced RTMP clip with real H.265 pictures: what x265 made, in the packets that OBS sends. Needs ffprobe. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { concatBytes, encodeFlvHeader, encodeFlvTag, encodeFlvVideo, FlvTagType } from '@showfloor/media-formats';

const FIXTURE = fileURLToPath(new URL('../../media-formats/fixtures/hevc-bframes-426x240.mp4', import.meta.url));

type Packet = { pts_time: string; dts_time: string; pos: string; size: string; flags: string };

/** The fixture (426x240, B-frames) as FLV bytes, for a publish loop. */
export function hevcClip(): Uint8Array {
  const file = new Uint8Array(readFileSync(FIXTURE));
  const entries = ['-show_entries', 'packet=pts_time,dts_time,pos,size,flags', '-select_streams', 'v:0'];
  const probe = spawnSync('ffprobe', ['-v', 'error', '-of', 'json', ...entries, FIXTURE]);
  const { packets } = JSON.parse(probe.stdout.toString()) as { packets: Packet[] };
  const startMs = Math.round(Number(packets[0]?.dts_time ?? 0) * 1000);
  const tag = (timestampMs: number, payload: Uint8Array) =>
    encodeFlvTag({ typeId: FlvTagType.video, timestampMs, payload });
  const config = { codec: 'hevc', kind: 'sequence-header', isKeyframe: true, compositionTimeMs: 0 } as const;
  const parts = [
    encodeFlvHeader({ hasAudio: false, hasVideo: true }),
    tag(0, encodeFlvVideo({ ...config, data: boxContent(file, 'hvcC') })),
  ];
  for (const { pts_time, dts_time, pos, size, flags } of packets) {
    const [ptsMs = 0, dtsMs = 0] = [pts_time, dts_time].map((time) => Math.round(Number(time) * 1000));
    const data = file.subarray(Number(pos), Number(pos) + Number(size));
    const isKeyframe = flags.startsWith('K');
    const frame = { codec: 'hevc', kind: 'frames', isKeyframe, compositionTimeMs: ptsMs - dtsMs, data } as const;
    parts.push(tag(dtsMs - startMs, encodeFlvVideo(frame)));
  }
  return concatBytes(parts);
}

/** The content of the first box of this type, wherever it is nested. */
function boxContent(file: Uint8Array, type: string): Uint8Array {
  const at = Buffer.from(file).indexOf(type, 0, 'latin1') - 4;
  const length = new DataView(file.buffer, file.byteOffset).getUint32(at);
  return file.subarray(at + 8, at + length);
}
