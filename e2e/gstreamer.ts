import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

const ELEMENTS = ['openh264enc', 'voaacenc', 'flvmux', 'rtmp2sink'];

/** True when Debian's GStreamer has what a publisher needs; suites that need it are named as skipped otherwise (a failure in CI). */
export const hasGstreamer = ELEMENTS.every((element) => spawnSync('gst-inspect-1.0', [element]).status === 0);

/** A publisher that is neither ours nor ffmpeg. `drop` ends it by SIGKILL. */
export type GstreamerPublisher = {
  readonly process: ChildProcess;
  readonly drop: () => Promise<void>;
  /** What it has printed. */
  readonly output: () => string;
};

/** Publishes a moving test picture (Cisco's encoder, 30 frames and a keyframe each second) and a tone to `server`/`streamKey`. */
export function publishWithGstreamer(
  server: string,
  streamKey: string,
  size: Readonly<{ widthPx: number; heightPx: number }> = { widthPx: 1280, heightPx: 720 },
): GstreamerPublisher {
  const pipeline = ['flvmux name=mux streamable=true', `rtmp2sink location=${server}/${streamKey}`].join(' ! ');
  const picture = [
    'videotestsrc is-live=true pattern=ball',
    `video/x-raw,format=I420,width=${size.widthPx},height=${size.heightPx},framerate=30/1`,
    'openh264enc bitrate=1500000 gop-size=30 rate-control=bitrate complexity=low',
    'h264parse',
    'queue',
    'mux.',
  ].join(' ! ');
  const sound = [
    'audiotestsrc is-live=true freq=440',
    'audio/x-raw,rate=44100,channels=2',
    'voaacenc bitrate=96000',
    'aacparse',
    'queue',
    'mux.',
  ].join(' ! ');
  const words = [pipeline, picture, sound].join(' ').split(' ');
  const child = spawn('gst-launch-1.0', ['-q', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
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
