import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { publishFlvLoop } from '@showfloor/rtmp-client';

const DEMO_CLIP = fileURLToPath(new URL('../../../apps/showfloor/assets/demo-clip.flv', import.meta.url));

/** The demo clip, or the same kind of clip made by ffmpeg: 1080p30, 2.5 Mbit/s, keyframe each second, AAC 128k. */
export function benchClip(folder: string, given: string | undefined): string {
  if (given !== undefined) return given;
  if (existsSync(DEMO_CLIP)) return DEMO_CLIP;
  const path = join(folder, 'clip.flv');
  const made = spawnSync(
    'ffmpeg',
    `-v error -f lavfi -i testsrc2=size=1920x1080:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 -t 12
     -vf noise=alls=12:allf=t -c:v libx264 -preset veryfast -g 30 -bf 0 -b:v 2500k -minrate 2500k -maxrate 2500k -bufsize 2500k
     -pix_fmt yuv420p -c:a aac -b:a 128k -ac 2 -f flv ${path}`.split(/\s+/),
    { stdio: 'inherit' },
  );
  if (made.status !== 0) throw new Error('no clip to publish: give one with --clip, or install ffmpeg');
  return path;
}

/** A stream on air. `stop` ends it. */
export type OnAir = Readonly<{ stop: () => Promise<void> }>;

/** Keeps the clip on air at `url`; resolves when a whole GOP is there for the first joiner. */
export async function putOnAir(url: string, clip: string): Promise<OnAir> {
  const abort = new AbortController();
  const onAir = Promise.withResolvers<void>();
  const publishing = publishFlvLoop({
    url,
    filePath: clip,
    signal: abort.signal,
    onState: (state) => {
      if (state.kind === 'publishing') onAir.resolve();
    },
  });
  await Promise.race([onAir.promise, publishing]);
  await sleep(1_500);
  return {
    stop: async () => {
      abort.abort();
      await publishing;
    },
  };
}
