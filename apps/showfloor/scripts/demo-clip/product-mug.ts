import { MATERIAL } from './materials.ts';
import { lathe, type Mesh, placed, softOutline, sweep } from './mesh.ts';
import { add, noise, type Vec3 } from './vector.ts';

/** Where steam rises from, relative to the mug's foot. */
export const COFFEE_LEVEL = 1.12;

/** A hand-thrown stoneware mug with coffee in it. */
export function mugMeshes(foot: Vec3): Mesh[] {
  const body = lathe(
    MATERIAL.glaze,
    foot,
    softOutline(
      [
        [0, 0.03],
        [0.4, 0.03],
        [0.43, 0],
        [0.5, 0.05],
        [0.575, 0.3],
        [0.57, 0.8],
        [0.54, 1.27],
        [0.5, 1.29],
        [0.485, 1.2],
        [0.5, 0.95],
        [0.49, 0.9],
      ],
      0.07,
      0.028,
    ),
    144,
  );
  // Thrown by hand: faint finger rings, and a rim that is not quite level.
  const thrown = placed(body, (p) => {
    const y = p[1] - foot[1];
    const ring = 1 + 0.006 * Math.sin(y * 26) * (y > 0.2 ? 1 : 0) + 0.004 * noise([y * 9, 0.5, 0.5]);
    const lift = 0.012 * y * noise([p[0] * 1.3, 3.5, p[2] * 1.3]);
    return [foot[0] + (p[0] - foot[0]) * ring, p[1] + lift, foot[2] + (p[2] - foot[2]) * ring];
  });
  const coffee = lathe(
    MATERIAL.coffee,
    foot,
    softOutline(
      [
        [0.53, COFFEE_LEVEL - 0.012],
        [0.48, COFFEE_LEVEL],
        [0, COFFEE_LEVEL],
      ],
      0.02,
      0.05,
    ),
    64,
  );
  return [thrown, coffee, handle(foot)];
}

/** The ear points right and a little to the camera. */
function handle(foot: Vec3): Mesh {
  const turn = 0.42;
  const path = (s: number): Vec3 => {
    const angle = Math.PI * (0.5 - s);
    const out = 0.5 + 0.44 * Math.max(0, Math.cos(angle)) ** 0.75;
    const y = 0.66 + 0.34 * Math.sin(angle) - 0.05 * s;
    return [out * Math.cos(turn), y, out * Math.sin(turn)];
  };
  return sweep(
    MATERIAL.glaze,
    add(foot, [0, 0, 0]),
    path,
    [-Math.sin(turn), 0, Math.cos(turn)],
    (s) => ({ wide: 0.105 + 0.05 * (2 * s - 1) ** 4, thick: 0.062 + 0.04 * (2 * s - 1) ** 4, squareness: 0.85 }),
    { columns: 32, rows: 72 },
  );
}
