import { MATERIAL } from './materials.ts';
import { gridMesh, lathe, type Mesh, softOutline, sweep } from './mesh.ts';
import { lampMeshes } from './product-lamp.ts';
import { mugMeshes } from './product-mug.ts';
import { toteMeshes } from './product-tote.ts';
import { add, type Vec3 } from './vector.ts';

/** Where each product stands (centre of its foot). */
export const STAND = {
  mug: [-2.75, 1.25, 0.25],
  tote: [0, 0.3, 0],
  lamp: [2.75, 0.6, 0],
} as const satisfies Record<string, Vec3>;

/** Half the width of the modelled backdrop, and the heights and depths of its sweep. */
const BACKDROP = { halfWidth: 16, frontZ: 12, wallZ: -3.2, bendRadius: 2.2, topY: 10 };

/** Everything that is lit and drawn: nearest first, so that what is hidden is not shaded. */
export function buildScene(): Mesh[] {
  return [
    ...mugMeshes(STAND.mug),
    ...lampMeshes(STAND.lamp),
    ...toteMeshes(STAND.tote),
    ...plinths(),
    ...vase(),
    arch(),
    backdrop(),
  ];
}

/** A paper sweep: floor, bend and wall in one surface, with most vertices where shadows fall. */
function backdrop(): Mesh {
  const { halfWidth, frontZ, wallZ, bendRadius, topY } = BACKDROP;
  const bendLength = (bendRadius * Math.PI) / 2;
  const floorEnd = wallZ + bendRadius;
  const along = (v: number): Vec3 => {
    if (v < 0.1) return [0, 0, frontZ + (2.2 - frontZ) * (v / 0.1)];
    if (v < 0.62) return [0, 0, 2.2 + (floorEnd - 2.2) * ((v - 0.1) / 0.52)];
    const s = ((v - 0.62) / 0.38) * (bendLength + topY - bendRadius);
    if (s > bendLength) return [0, bendRadius + s - bendLength, wallZ];
    const angle = s / bendRadius;
    return [0, bendRadius * (1 - Math.cos(angle)), floorEnd - bendRadius * Math.sin(angle)];
  };
  return gridMesh(MATERIAL.backdrop, [0, 0, 0], { columns: 300, rows: 190, isClosed: false }, (u, v) => {
    const w = u * 2 - 1;
    const x = -(w * 8 + Math.sign(w) * Math.max(0, Math.abs(w) - 0.9) * ((halfWidth - 8) / 0.1));
    const p = along(v);
    return [x, p[1], p[2]];
  });
}

function plinths(): Mesh[] {
  const cylinder = (foot: Vec3, radius: number, height: number, material: number): Mesh =>
    lathe(
      material,
      foot,
      softOutline(
        [
          [radius, 0],
          [radius, height],
          [0, height],
        ],
        0.05,
        0.045,
      ),
      128,
    );
  const [mx, my, mz] = STAND.mug;
  const [tx, ty, tz] = STAND.tote;
  const [lx, ly, lz] = STAND.lamp;
  return [
    cylinder([mx, 0, mz], 1.0, my, MATERIAL.plaster),
    cylinder([tx, 0, tz], 1.62, ty, MATERIAL.plaster),
    cylinder([lx, 0, lz], 1.25, ly, MATERIAL.plaster),
  ];
}

/** A thick arch standing behind the tote: its outline pushed towards the camera, with rounded edges. */
function arch(): Mesh {
  const halfWidth = 1.72;
  const shoulder = 2.75;
  const outline = (u: number): readonly [number, number] => {
    const total = 2 * shoulder + Math.PI * halfWidth;
    const s = (1 - u) * total;
    if (s < shoulder) return [halfWidth, s];
    if (s > total - shoulder) return [-halfWidth, total - s];
    const angle = (s - shoulder) / halfWidth;
    return [halfWidth * Math.cos(angle), shoulder + halfWidth * Math.sin(angle)];
  };
  const rim = softOutline(
    [
      [1, -0.5],
      [1, 0],
      [0, 0],
    ],
    0.035,
    0.03,
  );
  return gridMesh(
    MATERIAL.terracotta,
    [0, 0, -1.35],
    { columns: 220, rows: rim.length - 1, isClosed: false },
    (u, v) => {
      const [x, y] = outline(u);
      const [inset, depth] = rim[Math.round(v * (rim.length - 1))] ?? [0, 0];
      return [x * inset, y <= shoulder ? y : shoulder + (y - shoulder) * inset, depth];
    },
  );
}

/** A dark clay vase with dry grass, a step back beside the arch: depth between mug and tote. */
function vase(): Mesh[] {
  const foot: Vec3 = [-1.62, 0, -1.0];
  const body = lathe(
    MATERIAL.clay,
    foot,
    softOutline(
      [
        [0.2, 0],
        [0.42, 0.35],
        [0.44, 0.75],
        [0.14, 1.2],
        [0.13, 1.5],
        [0.19, 1.62],
        [0.15, 1.62],
        [0.09, 1.45],
        [0, 1.4],
      ],
      0.22,
      0.05,
    ),
    64,
  );
  const stems = [-0.5, -0.2, 0.12, 0.42].map((lean, k) => {
    const height = 2.05 + 0.3 * Math.sin(k * 2.1);
    return sweep(
      MATERIAL.strap,
      add(foot, [0, 1.4, 0]),
      (s) => [lean * s * s * 1.5, s * height, 0.12 * Math.sin(k * 3 + s * 2)],
      [0.2, 0, 1],
      (s) => {
        const plume = s > 0.45 ? Math.sin(((s - 0.45) / 0.55) * Math.PI) ** 0.8 * 0.062 : 0;
        const ruffle = 1 + 0.1 * Math.sin(s * 210 + k);
        return { wide: 0.012 + plume * ruffle, thick: 0.012 + plume * ruffle * 0.8, squareness: 1 };
      },
      { columns: 10, rows: 170 },
    );
  });
  return [body, ...stems];
}
