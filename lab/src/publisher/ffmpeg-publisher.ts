/** ffmpeg as a publisher that is not ours: one process per stream, started again when it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from '../clients/actor.ts';
import { monotonicMs } from '../clock.ts';

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 5000;
/** Who was on air this long begins with the first pause again. */
const SETTLED_MS = 5000;
const STOP_MS_MAX = 3000;
const ERROR_CHARS_MAX = 2000;
/** A shorter name is a word of every message, and no key. */
const SECRET_CHARS_MIN = 8;
/** Ends ffmpeg with the thread that started it, also when the lab is killed: util-linux, setpriv(1). */
const SETPRIV = '/usr/bin/setpriv';
/** What setpriv, as a shell, ends with when there is no such command. */
const NOT_FOUND = 127;

/** The strategy's test source (4.4, option B): 1080p30, 2500 + 128 kbit/s, a keyframe each second. */
const TEST_SOURCE =
  '-re -f lavfi -i testsrc=size=1920x1080:rate=30 -f lavfi -i sine -c:v libx264 -preset veryfast -pix_fmt yuv420p -b:v 2500k -maxrate 2500k -bufsize 5000k -g 30 -keyint_min 30 -c:a aac -b:a 128k';

/** What happens; times are monotonic. */
export type FfmpegHandlers = {
  readonly onAttempt: () => void;
  /** The first picture has been handed to the server. `connectMs` has the start of the process in it. */
  readonly onAccepted: (atMs: number, connectMs: number) => void;
  readonly onEnded: (atMs: number, reason: string) => void;
  /** About once a second: how far what was sent is off from real time, either way. */
  readonly onPacing: (errorMs: number) => void;
};

/** Publishes until the signal aborts. `file` null: the test source. A missing ffmpeg is told as the reason of `onEnded`. */
export async function publishWithFfmpeg(
  url: string,
  file: string | null,
  signal: AbortSignal,
  handlers: FfmpegHandlers,
): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    const startedAtMs = monotonicMs();
    handlers.onAttempt();
    const reason = await runOnce(url, file, signal, startedAtMs, handlers);
    if (signal.aborted) return;
    const endedAtMs = monotonicMs();
    handlers.onEnded(endedAtMs, reason);
    failures = endedAtMs - startedAtMs > SETTLED_MS ? 0 : failures + 1;
    await pause(Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures, 10)), signal);
  }
}

async function runOnce(
  url: string,
  file: string | null,
  signal: AbortSignal,
  startedAtMs: number,
  { onAccepted, onPacing }: FfmpegHandlers,
): Promise<string> {
  const source = file === null ? TEST_SOURCE.split(' ') : ['-re', '-stream_loop', '-1', '-i', file, '-c', 'copy'];
  const head = ['-hide_banner', '-loglevel', 'error', '-nostats', '-stats_period', '1', '-progress', 'pipe:1'];
  const { server, playPath } = splitUrl(url);
  const options = openOptions(playPath);
  const words = ['ffmpeg', ...head, ...source, '-fpre', '/dev/fd/3', '-f', 'flv', server];
  const [command = '', ...args] = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'TERM', ...words] : words;
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe', options] });
  closeSync(options);
  const ended = Promise.withResolvers<string>();
  let errors = '';
  let first: { readonly atMs: number; readonly mediaMs: number } | null = null;
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-ERROR_CHARS_MAX);
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    for (const [, micros] of chunk.toString().matchAll(/^out_time_us=(\d+)/gm)) {
      const [atMs, mediaMs] = [monotonicMs(), Number(micros) / 1000];
      if (mediaMs <= 0) continue;
      if (first === null) onAccepted(atMs, atMs - startedAtMs);
      first ??= { atMs, mediaMs };
      onPacing(Math.abs(mediaMs - first.mediaMs - (atMs - first.atMs)));
    }
  });
  child.once('error', (error: NodeJS.ErrnoException) =>
    ended.resolve(error.code === 'ENOENT' ? 'ffmpeg is not installed' : error.message),
  );
  child.once('exit', (code) => {
    const reason = code === NOT_FOUND ? 'ffmpeg is not installed' : withoutKey(errors, playPath);
    ended.resolve(reason || `ffmpeg ended with ${code ?? 'a signal'}`);
  });
  const stop = (): void => stopChild(child);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await ended.promise;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function stopChild(child: ChildProcess): void {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  child.once('exit', () => clearTimeout(timer));
}

/** The stream's name is where the key is, in the path or behind it; the rest anybody may see. */
function splitUrl(url: string): { server: string; playPath: string } {
  const query = url.indexOf('?');
  const cut = url.lastIndexOf('/', query < 0 ? url.length : query);
  return { server: url.slice(0, cut), playPath: url.slice(cut + 1) };
}

/** Command lines are for everybody to read, so the name goes by a file that only this process and its child can open. */
function openOptions(playPath: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'showfloor-publish-'));
  try {
    const path = join(folder, 'options');
    writeFileSync(path, `rtmp_playpath=${playPath}\n`, { mode: 0o600 });
    return openSync(path, 'r');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The last line that ffmpeg printed; it likes to repeat what it was told, and the key is in it. */
function withoutKey(errors: string, playPath: string): string {
  const line = errors.trim().split('\n').at(-1) ?? '';
  return (playPath.length < SECRET_CHARS_MIN ? line : line.replaceAll(playPath, '…')).replace(/key=[^\s'"]+/g, 'key=…');
}
