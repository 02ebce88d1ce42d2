import { readFile } from 'node:fs/promises';
import chromiumBinary from '@sparticuz/chromium';
import { type Browser, chromium, type Page } from 'playwright-core';
import { BAKED_FLOATS } from './bake.ts';
import { KEY_COLOR, KEY_DIRECTION, LAMP_COLOR } from './lights.ts';
import type { Mesh } from './mesh.ts';
import * as shaders from './shaders.ts';
import { type Pose, poseAt, shotAt } from './shots.ts';

const BROWSER_ARGS = ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];

/** A headless browser that paints frames of one size. Close it with `await using` or `[Symbol.asyncDispose]`. */
export class Picture {
  readonly #browser: Browser;
  readonly #page: Page;
  readonly #size: readonly [number, number];

  private constructor(browser: Browser, page: Page, size: readonly [number, number]) {
    this.#browser = browser;
    this.#page = page;
    this.#size = size;
  }

  /** Starts the browser and uploads the scene. Throws when there is no WebGL 2. */
  static async open(meshes: readonly Mesh[], baked: Float32Array, size: readonly [number, number]): Promise<Picture> {
    const executablePath = await chromiumBinary.executablePath();
    const browser = await chromium.launch({ executablePath, headless: true, args: BROWSER_ARGS });
    const page = await browser.newPage();
    await page.addScriptTag({ content: await readFile(new URL('./painter.browser.js', import.meta.url), 'utf8') });
    const scene = {
      widthPx: size[0],
      heightPx: size[1],
      keyDirection: KEY_DIRECTION,
      keyColor: KEY_COLOR,
      lampColor: LAMP_COLOR,
      shaders: { ...shaders },
      batches: batches(meshes, baked),
    };
    await page.evaluate(`window.startPainter(${JSON.stringify(scene)})`);
    return new Picture(browser, page, size);
  }

  /** One frame as JPEG bytes; `pose` overrides the camera tour. */
  async frame(seconds: number, pose: Pose = poseAt(seconds)): Promise<Buffer> {
    const shot = shotAt(seconds, pose, this.#size[0] / this.#size[1]);
    const url = await this.#page.evaluate<string>(`window.paint(${JSON.stringify(shot)})`);
    return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** One upload per mesh: position, normal and baked light interleaved, as base64. */
function batches(meshes: readonly Mesh[], baked: Float32Array): object[] {
  let first = 0;
  return meshes.map((mesh) => {
    const vertices = Float32Array.from(
      mesh.positions.flatMap((p, i) => {
        const at = (first + i) * BAKED_FLOATS;
        return [...p, ...(mesh.normals[i] ?? [0, 1, 0]), ...baked.subarray(at, at + BAKED_FLOATS)];
      }),
    );
    first += mesh.positions.length;
    const base64 = (array: Float32Array | Uint32Array): string => Buffer.from(array.buffer).toString('base64');
    return {
      material: mesh.material,
      origin: mesh.origin,
      vertices: base64(vertices),
      indices: base64(Uint32Array.from(mesh.indices)),
    };
  });
}
