import { MATERIAL } from './materials.ts';
import { gridMesh, lathe, type Mesh, placed, softOutline, sweep } from './mesh.ts';
import { add, cross, noise, normalize, scale, seededRandom, smoothstep, sub, tangents, type Vec3 } from './vector.ts';

const HEIGHT = 2.3;
const STRAP_X = 0.46;

/** A standing linen bag with two straps and eucalyptus looking out of it. */
export function toteMeshes(foot: Vec3): Mesh[] {
  return [body(foot), strap(foot, 1), strap(foot, -1), ...eucalyptus(foot)];
}

function body(foot: Vec3): Mesh {
  const outline = softOutline(
    [
      [0, 0],
      [1, 0],
      [1, HEIGHT],
      [0.95, HEIGHT],
      [0.93, HEIGHT * 0.45],
      [0, HEIGHT * 0.4],
    ],
    0.06,
    0.03,
  );
  const rows = outline.length - 1;
  return gridMesh(MATERIAL.linen, foot, { columns: 260, rows, isClosed: true }, (u, v) => {
    const [reach, y] = outline[Math.round(v * rows)] ?? [0, 0];
    return cloth(u * 2 * Math.PI, reach, y);
  });
}

/** A rounded box of cloth: fuller below, pinched above, pulled down between the straps, with soft folds. */
function cloth(angle: number, reach: number, y: number): Vec3 {
  const up = y / HEIGHT;
  const bend = (value: number): number => Math.sign(value) * Math.abs(value) ** 0.42;
  const halfWidth = 1.0 + 0.07 * Math.sin(up * Math.PI * 0.9) + 0.04 * up;
  const halfDepth = 0.4 + 0.13 * Math.sin(Math.min(1, up * 1.7) * Math.PI * 0.75) - 0.24 * smoothstep(0.35, 1, up);
  const x = reach * halfWidth * bend(Math.cos(angle));
  const z = reach * halfDepth * bend(Math.sin(angle));
  const flat = smoothstep(0.02, 0.2, up);
  const folds =
    0.075 * noise([x * 1.3 + y * 0.9, y * 0.8, z > 0 ? 1.5 : 7.5]) +
    0.045 * noise([x * 3.1 - y * 1.7, y * 1.3, z > 0 ? 4.5 : 9.5]) +
    0.03 * Math.exp(-((Math.abs(x) - STRAP_X - 0.25 * (1 - up)) ** 2) / 0.012) * smoothstep(0.3, 1, up) +
    0.016 * noise([x * 7 + y * 5, y * 3 - x * 4, z > 0 ? 2.5 : 5.5]);
  const corner = 0.035 * noise([y * 4, angle * 2, 3.3]) * smoothstep(0.75, 1, Math.abs(x) / halfWidth);
  const sag = -0.075 * smoothstep(0.7, 1, up) * Math.cos((Math.PI * x) / (2 * STRAP_X)) - 0.03 * up * x;
  return [x + corner + 0.05 * up * up, y + sag, z + Math.sign(z) * folds * flat * reach];
}

/** `side` 1 is the front strap, which leans towards the camera, −1 the back one. */
function strap(foot: Vec3, side: 1 | -1): Mesh {
  const rise = side > 0 ? 1.02 : 1.18;
  const path = (s: number): Vec3 => {
    const a = s * 2 - 1;
    const climb = smoothstep(0, 0.26, 1 - Math.abs(a));
    const x = a * STRAP_X * (1.02 - 0.1 * climb) + (side > 0 ? 0.05 : -0.05) * climb + 0.04;
    const arc = Math.max(0, 1 - Math.abs(a) ** 3.2);
    const y = HEIGHT - 0.5 + arc * (rise + 0.32);
    const onCloth = cloth(Math.acos(Math.sign(x) * Math.min(1, Math.abs(x)) ** 2.38) * side, 1, Math.min(y, HEIGHT));
    const above = Math.max(0, y - HEIGHT);
    return [x, y, onCloth[2] + side * (0.02 + 0.16 * above * above * (side > 0 ? 1.2 : 0.3))];
  };
  return sweep(MATERIAL.strap, foot, path, [0, 0, 1], () => ({ wide: 0.016, thick: 0.105, squareness: 0.4 }), {
    columns: 28,
    rows: 150,
  });
}

function eucalyptus(foot: Vec3): Mesh[] {
  const random = seededRandom(11);
  const meshes: Mesh[] = [];
  const stems: readonly (readonly [x: number, lean: number, height: number])[] = [
    [-0.42, -0.34, 1.95],
    [-0.2, -0.06, 2.3],
    [-0.6, -0.62, 1.6],
    [0.02, 0.2, 1.85],
  ];
  for (const [x, lean, height] of stems) {
    const root = add(foot, [x, HEIGHT * 0.5, -0.02]);
    const path = (s: number): Vec3 => [lean * s * s * 1.3, s * height, 0.16 * s * s * Math.sin(x * 9)];
    meshes.push(
      sweep(
        MATERIAL.leaf,
        root,
        path,
        [0, 0, 1],
        (s) => ({ wide: 0.02 - 0.013 * s, thick: 0.02 - 0.013 * s, squareness: 1 }),
        { columns: 8, rows: 40 },
      ),
    );
    for (let k = 0; k < 9; k++) {
      const s = 0.5 + (k / 8) * 0.5;
      const along = normalize(sub(path(s), path(s - 0.02)));
      const [a, b] = tangents(along);
      const spin = k * 2.4 + random() * 0.8;
      const out = add(scale(a, Math.cos(spin)), scale(b, Math.sin(spin)));
      const reach = 0.17 * (1.25 - 0.5 * (k / 8) ** 2) * (0.85 + 0.3 * random());
      meshes.push(leaf(add(root, path(s)), normalize(add(out, scale(along, 0.55))), along, reach));
    }
  }
  return meshes;
}

/** One round leaf that grows from `at` towards `out`. */
function leaf(at: Vec3, out: Vec3, along: Vec3, reach: number): Mesh {
  const side = normalize(cross(along, out));
  const face = cross(out, side);
  const disc = lathe(
    MATERIAL.leaf,
    [0, 0, 0],
    [
      [0.05, -0.05],
      [0.6, -0.06],
      [0.95, 0],
      [1, 0.03],
      [0.95, 0.045],
      [0.6, 0],
      [0.02, -0.01],
    ],
    14,
  );
  return placed({ ...disc, origin: at }, ([x, y, z]) =>
    add(
      at,
      add(scale(out, reach * (1 + x)), add(scale(side, reach * 0.82 * z), scale(face, reach * (y + 0.16 * z * z)))),
    ),
  );
}
