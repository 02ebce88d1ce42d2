import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** True when Debian's ffmpeg is installed; suites that need it are named as skipped otherwise (a failure in CI). */
export const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

/** A publisher that is not ours: ffmpeg with a moving test picture and a tone, 720p30, a keyframe each second, no B-frames. */
export type FfmpegPublisher = {
  readonly process: ChildProcess;
  /** SIGKILL: the connection breaks without a goodbye. Resolves when the process is gone. */
  readonly drop: () => Promise<void>;
  /** What ffmpeg has printed. */
  readonly output: () => string;
};

/** Publishes to `server`/`streamKey` for at most `seconds`. */
export function publishWithFfmpeg(server: string, streamKey: string, seconds = 120): FfmpegPublisher {
  const source = [
    '-re',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=1280x720:rate=30',
    '-f',
    'lavfi',
    '-i',
    'sine=frequency=440',
  ];
  const video = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-b:v',
    '1500k',
    '-g',
    '30',
    '-bf',
    '0',
  ];
  const audio = ['-c:a', 'aac', '-b:a', '96k', '-ar', '44100'];
  const child = spawn(
    'ffmpeg',
    [
      '-hide_banner',
      '-loglevel',
      'warning',
      ...source,
      ...video,
      '-pix_fmt',
      'yuv420p',
      ...audio,
      '-t',
      String(seconds),
      '-f',
      'flv',
      `${server}/${streamKey}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-20_000);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    process: child,
    output: () => output,
    drop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
