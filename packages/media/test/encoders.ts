/** Encoders that are not ours, for the plane tests: ffmpeg and GStreamer. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** True when GStreamer with openh264enc and rtmp2sink is there. Where CI is set a missing one fails instead of skipping. */
export function hasGstreamer(): boolean {
  const plugins = ['openh264enc', 'voaacenc', 'flvmux', 'rtmp2sink'];
  const isThere = plugins.every((plugin) => spawnSync('gst-inspect-1.0', ['--exists', plugin]).status === 0);
  return isThere || process.env.CI === 'true';
}

/** A running encoder; dispose of it with the test. */
export class Encoder implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #output = '';

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#output += bytes.toString();
      });
    }
    this.#exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', resolve);
    });
  }

  /** What it has printed. */
  get output(): string {
    return this.#output;
  }

  /** Its exit code; null when it was killed. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGKILL: the connection breaks without a goodbye. */
  async kill(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

export type FfmpegPicture = Readonly<{
  size?: string;
  fps?: number;
  /** Arguments of the video encoder. */
  video?: string;
  /** Arguments of the audio encoder. */
  audio?: string;
  seconds?: number;
}>;

const VIDEO = '-c:v libx264 -preset ultrafast -tune zerolatency -g 30 -pix_fmt yuv420p';
const AUDIO = '-c:a aac -b:a 64k';

/** ffmpeg with a moving picture and a tone in real time; `none` leaves a track out. */
export function ffmpegTo(url: string, picture: FfmpegPicture = {}): Encoder {
  const { size = '320x180', fps = 30, video = VIDEO, audio = AUDIO, seconds = 120 } = picture;
  const inputs = [
    ...(video === 'none' ? [] : ['-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}`]),
    ...(audio === 'none' ? [] : ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100']),
  ];
  const outputs = [video, audio].filter((args) => args !== 'none').flatMap((args) => args.split(/\s+/));
  const quiet = ['-hide_banner', '-loglevel', 'warning'];
  return new Encoder('ffmpeg', [...quiet, ...inputs, ...outputs, '-t', String(seconds), '-f', 'flv', url]);
}

/** GStreamer with a moving picture and a tone in real time; rtmp2sink takes the query of the stream key as it is. */
export function gstreamerTo(url: string): Encoder {
  const picture = 'videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=30/1';
  const encode = 'openh264enc gop-size=30 complexity=low ! h264parse ! queue ! mux.video';
  const sound = 'audiotestsrc is-live=true ! audioconvert ! audioresample ! voaacenc bitrate=64000 ! queue ! mux.audio';
  const line = `-q ${picture} ! ${encode} ${sound} flvmux name=mux streamable=true ! rtmp2sink`;
  return new Encoder('gst-launch-1.0', [...line.split(/\s+/), `location=${url}`]);
}
