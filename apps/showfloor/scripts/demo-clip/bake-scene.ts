import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { BAKED_FLOATS, type BakeQuality } from './bake.ts';
import type { Mesh } from './mesh.ts';

/** Light at every vertex of all meshes, in mesh order, `BAKED_FLOATS` each. Uses every core. */
export async function bakeScene(meshes: readonly Mesh[], quality: BakeQuality): Promise<Float32Array> {
  const vertices = meshes.reduce((sum, mesh) => sum + mesh.positions.length, 0);
  const baked = new Float32Array(new SharedArrayBuffer(vertices * BAKED_FLOATS * Float32Array.BYTES_PER_ELEMENT));
  const stripes = availableParallelism();
  await Promise.all(
    Array.from({ length: stripes }, async (_, stripe) => {
      const workerData = { stripe, stripes, quality, baked };
      const worker = new Worker(new URL('./bake-worker.ts', import.meta.url), { workerData });
      await once(worker, 'exit'); // an error in the worker rejects this
    }),
  );
  return smoothed(meshes, baked);
}

/** One pass of averaging with the neighbours along edges: takes the grain out of few rays. */
function smoothed(meshes: readonly Mesh[], baked: Float32Array): Float32Array {
  const out = new Float32Array(baked.length);
  let first = 0;
  for (const mesh of meshes) {
    const weights = new Float32Array(mesh.positions.length).fill(3);
    const base = first * BAKED_FLOATS;
    for (let i = 0; i < weights.length * BAKED_FLOATS; i++) out[base + i] = 3 * (baked[base + i] ?? 0);
    for (let i = 0; i < mesh.indices.length; i++) {
      const a = mesh.indices[i] ?? 0;
      const b = mesh.indices[i % 3 === 2 ? i - 2 : i + 1] ?? 0;
      weights[a] = (weights[a] ?? 0) + 1;
      for (let k = 0; k < BAKED_FLOATS; k++) {
        out[base + a * BAKED_FLOATS + k] =
          (out[base + a * BAKED_FLOATS + k] ?? 0) + (baked[base + b * BAKED_FLOATS + k] ?? 0);
      }
    }
    for (let i = 0; i < weights.length * BAKED_FLOATS; i++) {
      out[base + i] = (out[base + i] ?? 0) / (weights[Math.floor(i / BAKED_FLOATS)] ?? 1);
    }
    first += mesh.positions.length;
  }
  return out;
}
