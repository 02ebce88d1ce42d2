/**
 * Makes the demo show's clip and the shop's product pictures from one modelled scene. Run it by hand; what it writes is
 * committed. Needs ffmpeg (Debian). See `../assets/README.md`.
 *
 *     node apps/showfloor/scripts/render-demo-clip.ts [--clip <file>] [--stills <folder>] [--frames <file>]
 *
 * `--frames` names the intermediate; if it exists it is encoded again instead of rendered.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bakeScene } from './demo-clip/bake-scene.ts';
import { encodeClip, FPS, ffmpeg, writeFrames } from './demo-clip/encode.ts';
import { Picture } from './demo-clip/picture.ts';
import { buildScene } from './demo-clip/scene.ts';
import { LOOP_SECONDS, STILLS, WIDE } from './demo-clip/shots.ts';

const SIZE = [1920, 1080] as const;
const QUALITY = { keyRays: 40, lampRays: 12, domeRays: 80 };
const STILL_SECONDS = 0.6; // where in the loop the stills are taken: light and steam look good there

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const { values } = parseArgs({
  options: {
    clip: { type: 'string', default: here('../assets/demo-clip.flv') },
    stills: { type: 'string', default: here('../../web/public/demo') },
    frames: { type: 'string' },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'demo-clip-'));
try {
  const frames = values.frames ?? join(folder, 'frames.mkv');
  if (!existsSync(frames)) await render(frames, values.stills);
  console.log('encoding');
  await encodeClip(frames, folder, values.clip);
  console.log(values.clip);
} finally {
  await rm(folder, { recursive: true });
}

async function render(frames: string, stills: string): Promise<void> {
  const meshes = buildScene();
  console.log('baking light');
  const baked = await bakeScene(meshes, QUALITY);
  await using picture = await Picture.open(meshes, baked, SIZE);
  await writeStills(picture, stills);
  await writeFrames(frames, allFrames(picture));
}

async function* allFrames(picture: Picture): AsyncGenerator<Buffer> {
  const count = LOOP_SECONDS * FPS;
  for (let i = 0; i < count; i++) {
    if (i % FPS === 0) console.log(`frame ${i} of ${count}`);
    yield await picture.frame(i / FPS);
  }
}

/** Square WebP pictures of each product and a wide poster. */
async function writeStills(picture: Picture, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  for (const [name, pose] of Object.entries({ ...STILLS, poster: WIDE })) {
    const source = join(folder, `${name}.jpg`);
    await writeFile(source, await picture.frame(STILL_SECONDS, pose));
    const shape = name === 'poster' ? 'scale=1280:720:flags=lanczos' : 'crop=1080:1080,scale=640:640:flags=lanczos';
    await ffmpeg('-i', source, '-vf', shape, '-c:v', 'libwebp', '-quality', '82', join(into, `${name}.webp`));
  }
}
