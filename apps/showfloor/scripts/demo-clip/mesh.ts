import { add, cross, normalize, scale, sub, type Vec3 } from './vector.ts';

/** A triangle mesh with one normal per vertex. `material` indexes the table in `materials.ts`. */
export type Mesh = {
  readonly material: number;
  /** Object origin in scene space: procedural textures are anchored here. */
  readonly origin: Vec3;
  readonly positions: Vec3[];
  readonly normals: Vec3[];
  /** Three vertex indices per triangle, counter-clockwise seen from outside. */
  readonly indices: number[];
};

/** A point of a lathe's outline: distance from the axis, height. */
export type ProfilePoint = readonly [radius: number, height: number];

type GridShape = { readonly columns: number; readonly rows: number; readonly isClosed: boolean };

/** A surface sampled at `point(u, v)`, u and v in 0…1; it faces dv × du. A closed grid joins u = 1 to u = 0. */
export function gridMesh(
  material: number,
  origin: Vec3,
  shape: GridShape,
  point: (u: number, v: number) => Vec3,
): Mesh {
  const { columns, rows, isClosed } = shape;
  const across = isClosed ? columns : columns + 1;
  const positions: Vec3[] = [];
  for (let j = 0; j <= rows; j++) {
    for (let i = 0; i < across; i++) positions.push(add(origin, point(i / columns, j / rows)));
  }
  const indices: number[] = [];
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const a = j * across + i;
      const b = j * across + ((i + 1) % across);
      indices.push(a, a + across, b, b, a + across, b + across);
    }
  }
  return { material, origin, positions, normals: smoothNormals(positions, indices), indices };
}

/** A turned body: the outline revolved about the y axis. Run the outline so that outside lies to its right going up. */
export function lathe(material: number, origin: Vec3, outline: readonly ProfilePoint[], columns = 96): Mesh {
  const rows = outline.length - 1;
  return gridMesh(material, origin, { columns, rows, isClosed: true }, (u, v) => {
    const [radius, height] = outline[Math.round(v * rows)] ?? [0, 0];
    const angle = u * 2 * Math.PI;
    return [radius * Math.cos(angle), height, radius * Math.sin(angle)];
  });
}

/** Rounds the corners of an outline and subdivides it, so that baked light has vertices to live on. */
export function softOutline(points: readonly ProfilePoint[], cornerRadius: number, step: number): ProfilePoint[] {
  const out: ProfilePoint[] = [];
  const at = (i: number): ProfilePoint => points[Math.max(0, Math.min(points.length - 1, i))] ?? [0, 0];
  const lerp = (a: ProfilePoint, b: ProfilePoint, t: number): ProfilePoint => [
    a[0] + (b[0] - a[0]) * t,
    a[1] + (b[1] - a[1]) * t,
  ];
  const gap = (a: ProfilePoint, b: ProfilePoint): number => Math.hypot(a[0] - b[0], a[1] - b[1]);
  let cursor = at(0);
  for (let i = 1; i < points.length; i++) {
    const corner = at(i);
    const isLast = i === points.length - 1;
    const cut = isLast ? 0 : Math.min(cornerRadius, gap(at(i - 1), corner) / 2, gap(corner, at(i + 1)) / 2);
    const enter = isLast ? corner : lerp(corner, at(i - 1), cut / gap(corner, at(i - 1)));
    const pieces = Math.max(1, Math.round(gap(cursor, enter) / step));
    for (let k = 0; k < pieces; k++) out.push(lerp(cursor, enter, k / pieces));
    if (isLast) {
      out.push(corner);
      break;
    }
    const leave = lerp(corner, at(i + 1), cut / gap(corner, at(i + 1)));
    for (let k = 0; k < 5; k++) out.push(lerp(lerp(enter, corner, k / 5), lerp(corner, leave, k / 5), k / 5));
    cursor = leave;
  }
  return out;
}

type Section = { readonly wide: number; readonly thick: number; readonly squareness: number };

/** A bar swept along `path(s)`; `up` is the direction in which it is `wide`. Squareness 1 is an ellipse, near 0 a box. */
export function sweep(
  material: number,
  origin: Vec3,
  path: (s: number) => Vec3,
  up: Vec3,
  section: (s: number) => Section,
  shape: { readonly columns: number; readonly rows: number },
): Mesh {
  const bend = (value: number, power: number): number => Math.sign(value) * Math.abs(value) ** power;
  return gridMesh(material, origin, { ...shape, isClosed: true }, (u, v) => {
    const along = normalize(sub(path(Math.min(1, v + 0.005)), path(Math.max(0, v - 0.005))));
    const side = normalize(cross(along, cross(up, along)));
    const { wide, thick, squareness } = section(v);
    const angle = u * 2 * Math.PI;
    const offset = add(
      scale(side, wide * bend(Math.cos(angle), squareness)),
      scale(cross(side, along), thick * bend(Math.sin(angle), squareness)),
    );
    return add(path(v), offset);
  });
}

/** The mesh with every vertex moved by `place`, normals computed anew. */
export function placed(mesh: Mesh, place: (p: Vec3) => Vec3): Mesh {
  const positions = mesh.positions.map(place);
  return { ...mesh, positions, normals: smoothNormals(positions, mesh.indices) };
}

function smoothNormals(positions: readonly Vec3[], indices: readonly number[]): Vec3[] {
  const sums: Vec3[] = positions.map(() => [0, 0, 0]);
  for (let i = 0; i < indices.length; i += 3) {
    const corners = [indices[i] ?? 0, indices[i + 1] ?? 0, indices[i + 2] ?? 0];
    const [a, b, c] = corners.map((index): Vec3 => positions[index] ?? [0, 0, 0]);
    if (!a || !b || !c) continue;
    const face = cross(sub(b, a), sub(c, a));
    for (const index of corners) sums[index] = add(sums[index] ?? [0, 0, 0], face);
  }
  return sums.map(normalize);
}
