import {
  FlvDemuxer,
  type FlvTag,
  FlvTagType,
  type NalLengthSize,
  parseAvcConfig,
  readFlvAudioHeader,
  readFlvVideoHeader,
} from '@showfloor/media-formats';

/** One frame of the loop; `timeMs` counts from the loop's first frame. */
export type LoopFrame = Readonly<{ tag: FlvTag; timeMs: number; isKeyframe: boolean; isAvcPicture: boolean }>;

/** A clip prepared for endless play. */
export type FlvLoop = Readonly<{
  /** Metadata and sequence headers, sent on every connection before the first frame. */
  headers: readonly FlvTag[];
  /** In file order; the first one of a clip with video is a keyframe. */
  frames: readonly LoopFrame[];
  /** One frame duration past the last picture: where the next round begins. */
  durationMs: number;
  nalLengthSize: NalLengthSize;
  hasVideo: boolean;
}>;

/** Reads an FLV file for looping. Throws FormatError for a broken file, RangeError for one without frames. */
export function readFlvLoop(flvBytes: Uint8Array): FlvLoop {
  const headers: FlvTag[] = [];
  const frames: Omit<LoopFrame, 'timeMs'>[] = [];
  const demuxer = new FlvDemuxer({ onTag: (tag) => sortTag(tag, headers, frames) });
  demuxer.push(flvBytes);
  const hasVideo = frames.some(isVideo);
  const start = frames.findIndex((frame) => !hasVideo || frame.isKeyframe);
  const first = frames[start];
  if (first === undefined) throw new RangeError('the FLV file holds no keyframe to start from');
  const timed = frames
    .slice(start)
    .map((frame) => ({ ...frame, timeMs: Math.max(0, frame.tag.timestampMs - first.tag.timestampMs) }));
  const main = timed.filter((frame) => isVideo(frame) === hasVideo);
  const lastMs = main.at(-1)?.timeMs ?? 0;
  const frameMs = main.length > 1 ? lastMs / (main.length - 1) : 40;
  const durationMs = Math.max(1, Math.round(lastMs + frameMs));
  return {
    headers,
    // Sound that outlasts the picture would overlap the next round's.
    frames: timed.filter((frame) => frame.timeMs < durationMs - 10 || isVideo(frame)),
    durationMs,
    nalLengthSize: nalLengthSize(headers),
    hasVideo,
  };
}

function isVideo(frame: { tag: FlvTag }): boolean {
  return frame.tag.typeId === FlvTagType.video;
}

function sortTag(tag: FlvTag, headers: FlvTag[], frames: Omit<LoopFrame, 'timeMs'>[]): void {
  if (tag.payload.length === 0) return;
  if (tag.typeId === FlvTagType.script) {
    headers.push({ ...tag, timestampMs: 0 });
    return;
  }
  const isPicture = tag.typeId === FlvTagType.video;
  const header = isPicture ? readFlvVideoHeader(tag.payload) : readFlvAudioHeader(tag.payload);
  if (header.kind === 'sequence-header') headers.push({ ...tag, timestampMs: 0 });
  if (header.kind !== 'frames') return;
  const isKeyframe = 'isKeyframe' in header && header.isKeyframe;
  frames.push({ tag, isKeyframe, isAvcPicture: isPicture && header.codec === 'avc' });
}

function nalLengthSize(headers: readonly FlvTag[]): NalLengthSize {
  for (const tag of headers) {
    if (tag.typeId !== FlvTagType.video) continue;
    const header = readFlvVideoHeader(tag.payload);
    if (header.codec === 'avc') return parseAvcConfig(tag.payload.subarray(header.dataOffset)).nalLengthSize;
  }
  return 4;
}

/** Where endless play stands: a round and a frame in it. */
export type LoopPosition = Readonly<{ round: number; index: number }>;

/** When the frame at `position` is due, in ms from the first round's first frame. */
export function positionTimeMs(loop: FlvLoop, position: LoopPosition): number {
  return position.round * loop.durationMs + (loop.frames[position.index]?.timeMs ?? 0);
}

/** The position after `position`: the next frame, or the next round's first. */
export function nextPosition(loop: FlvLoop, position: LoopPosition): LoopPosition {
  const index = position.index + 1;
  return index < loop.frames.length ? { round: position.round, index } : { round: position.round + 1, index: 0 };
}

/** The first position from `position` on at which a decoder can start. */
export function nextEntry(loop: FlvLoop, position: LoopPosition): LoopPosition {
  let at = position;
  while (loop.hasVideo && loop.frames[at.index]?.isKeyframe !== true) at = nextPosition(loop, at);
  return at;
}
