import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { AUDIO_FRAMES, AUDIO_RATE_HZ, loopPcm } from './music.ts';

/** Pictures per second of the clip; also the keyframe distance. */
export const FPS = 30;

const VIDEO_BITRATE = '2500k';
const ADTS_LENGTH_HIGH_BITS = 0x03;

/** Runs ffmpeg and throws with its messages when it fails. */
export async function ffmpeg(...args: readonly string[]): Promise<void> {
  await promisify(execFile)('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args]);
}

/** Writes JPEG frames into one motion-JPEG file, the intermediate that both encoder passes read. */
export async function writeFrames(path: string, frames: AsyncIterable<Buffer>): Promise<void> {
  const args = ['-loglevel', 'error', '-y', '-f', 'image2pipe', '-framerate', `${FPS}`, '-i', '-', '-c', 'copy', path];
  const child = spawn('ffmpeg', args, { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`ffmpeg ended with ${code}`))));
  });
  await pipeline(frames, child.stdin);
  await ended;
}

/** Encodes frames and music into the clip. `folder` takes intermediates and is left to the caller to remove. */
export async function encodeClip(frames: string, folder: string, clip: string): Promise<void> {
  const video = join(folder, 'video.mp4');
  const passLog = join(folder, 'pass');
  // One keyframe a second and nowhere else, closed GOPs, no B-frames: what a live encoder set up for low delay sends.
  const codec = [
    '-c:v',
    'libx264',
    '-preset',
    'slow',
    '-profile:v',
    'high',
    '-level',
    '4.0',
    '-refs',
    '3',
    '-bf',
    '0',
    '-g',
    `${FPS}`,
  ];
  const keyframes = ['-keyint_min', `${FPS}`, '-sc_threshold', '0', '-flags', '+cgop', '-x264-params', 'open-gop=0'];
  const rate = ['-b:v', VIDEO_BITRATE, '-maxrate', '2800k', '-bufsize', '2800k'];
  const scale = 'scale=in_range=full:out_range=tv:out_color_matrix=bt709:flags=accurate_rnd,format=yuv420p';
  const colour = [
    '-vf',
    scale,
    '-color_range',
    'tv',
    '-colorspace',
    'bt709',
    '-color_primaries',
    'bt709',
    '-color_trc',
    'bt709',
  ];
  for (const pass of ['1', '2']) {
    const output = pass === '1' ? ['-f', 'null', '-'] : [video];
    await ffmpeg(
      '-i',
      frames,
      ...colour,
      ...codec,
      ...keyframes,
      ...rate,
      '-pass',
      pass,
      '-passlogfile',
      passLog,
      ...output,
    );
  }
  const audio = await encodeLoop(folder);
  const copy = ['-c', 'copy', '-bsf:a', 'aac_adtstoasc', '-fflags', '+bitexact', '-map_metadata', '-1'];
  await ffmpeg('-i', video, '-i', audio, ...copy, clip);
}

/** AAC whose last frame leads into its first: the music three times over is encoded, the middle third kept. */
async function encodeLoop(folder: string): Promise<string> {
  const pcm = Buffer.from(loopPcm().buffer);
  const [raw, thrice, once] = [join(folder, 'music.raw'), join(folder, 'thrice.aac'), join(folder, 'loop.aac')];
  await writeFile(raw, Buffer.concat([pcm, pcm, pcm]));
  const input = ['-f', 's16le', '-ar', `${AUDIO_RATE_HZ}`, '-ac', '2', '-i', raw];
  await ffmpeg(...input, '-c:a', 'aac', '-b:a', '128k', thrice);
  const frames = adtsFrames(await readFile(thrice));
  await writeFile(once, Buffer.concat(frames.slice(AUDIO_FRAMES, 2 * AUDIO_FRAMES)));
  return once;
}

/** Splits an ADTS stream (ISO/IEC 14496-3, 1.A.3.2: 13 bits of frame length from bit 30) into its frames. */
function adtsFrames(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + 7 <= bytes.length; ) {
    const length = ((bytes.readUInt8(at + 3) & ADTS_LENGTH_HIGH_BITS) << 11) | (bytes.readUInt16BE(at + 4) >> 5);
    if (length < 7) throw new Error(`no ADTS frame at byte ${at}`);
    frames.push(bytes.subarray(at, at + length));
    at += length;
  }
  return frames;
}
