/**
 * Bakes the vertices of one stripe of the scene; started by `bake-scene.ts`. The scene is rebuilt here: that is
 * quicker than copying it, and it is the same on every run.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BAKED_FLOATS, type BakeQuality, bakeVertex, lightingTree } from './bake.ts';
import { buildScene } from './scene.ts';

const { stripe, stripes, quality, baked } = workerData as {
  stripe: number;
  stripes: number;
  quality: BakeQuality;
  baked: Float32Array;
};

const meshes = buildScene();
const tree = lightingTree(meshes);
let vertex = 0;
for (const mesh of meshes) {
  for (const [i, position] of mesh.positions.entries()) {
    if (vertex % stripes === stripe) {
      const normal = mesh.normals[i] ?? [0, 1, 0];
      baked.set(bakeVertex(tree, position, normal, vertex, quality), vertex * BAKED_FLOATS);
    }
    vertex++;
  }
}
parentPort?.postMessage('done');
