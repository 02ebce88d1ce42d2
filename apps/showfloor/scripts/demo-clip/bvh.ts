import type { Mesh } from './mesh.ts';
import type { Vec3 } from './vector.ts';

const LEAF_TRIANGLES_MAX = 4;
const STACK_ENTRIES_MAX = 64;
const MISS = 1e9;

/** Where a ray first meets the scene. The same object is reused by every `nearest` call. */
export type Hit = { distance: number; triangle: number };

/** A bounding-volume tree over all triangles of some meshes; answers rays. */
export class TriangleTree {
  /** Material number of each triangle. */
  readonly materials: Uint8Array;
  readonly #corners: Float64Array;
  readonly #order: Uint32Array;
  readonly #boxes: number[] = [];
  readonly #links: number[] = [];
  readonly #stack = new Int32Array(STACK_ENTRIES_MAX);
  readonly #hit: Hit = { distance: MISS, triangle: -1 };

  constructor(meshes: readonly Mesh[]) {
    const count = meshes.reduce((sum, mesh) => sum + mesh.indices.length / 3, 0);
    this.#corners = new Float64Array(count * 9);
    this.materials = new Uint8Array(count);
    this.#order = Uint32Array.from({ length: count }, (_, i) => i);
    let triangle = 0;
    for (const mesh of meshes) {
      for (let i = 0; i < mesh.indices.length; i += 3, triangle++) {
        this.materials[triangle] = mesh.material;
        for (let k = 0; k < 3; k++) {
          const p = mesh.positions[mesh.indices[i + k] ?? 0] ?? [0, 0, 0];
          this.#corners.set(p, triangle * 9 + k * 3);
        }
      }
    }
    this.#build(0, count);
  }

  /** Unit normal of a triangle. */
  normal(triangle: number): Vec3 {
    const c = this.#corners.subarray(triangle * 9, triangle * 9 + 9) as unknown as ArrayLike<number> & number[];
    const [ax = 0, ay = 0, az = 0, bx = 0, by = 0, bz = 0, cx = 0, cy = 0, cz = 0] = c;
    const [ux, uy, uz, vx, vy, vz] = [bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az];
    const n: Vec3 = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    const length = Math.hypot(...n) || 1;
    return [n[0] / length, n[1] / length, n[2] / length];
  }

  /** First triangle along the ray within `reach`, or null. */
  nearest(origin: Vec3, direction: Vec3, reach = MISS): Hit | null {
    this.#trace(origin, direction, reach, false);
    return this.#hit.triangle < 0 ? null : this.#hit;
  }

  /** Whether anything stands within `reach` along the ray. */
  isBlocked(origin: Vec3, direction: Vec3, reach = MISS): boolean {
    this.#trace(origin, direction, reach, true);
    return this.#hit.triangle >= 0;
  }

  /** Splits order[from, to) at the middle of its longest axis and returns the node's number. */
  #build(from: number, to: number): number {
    const node = this.#links.length / 2;
    const low = [MISS, MISS, MISS];
    const high = [-MISS, -MISS, -MISS];
    for (let i = from; i < to; i++) {
      const base = (this.#order[i] ?? 0) * 9;
      for (let k = 0; k < 9; k++) {
        const value = this.#corners[base + k] ?? 0;
        const axis = k % 3;
        if (value < (low[axis] ?? 0)) low[axis] = value;
        if (value > (high[axis] ?? 0)) high[axis] = value;
      }
    }
    this.#boxes.push(...low, ...high);
    this.#links.push(from, from - to);
    if (to - from <= LEAF_TRIANGLES_MAX) return node;
    const extents = low.map((value, axis) => (high[axis] ?? 0) - value);
    const axis = extents.indexOf(Math.max(...extents));
    const centre = (triangle: number): number =>
      (this.#corners[triangle * 9 + axis] ?? 0) +
      (this.#corners[triangle * 9 + 3 + axis] ?? 0) +
      (this.#corners[triangle * 9 + 6 + axis] ?? 0);
    this.#order.subarray(from, to).sort((a, b) => centre(a) - centre(b));
    const middle = (from + to) >> 1;
    this.#build(from, middle); // always node + 1
    this.#links[node * 2] = this.#build(middle, to);
    this.#links[node * 2 + 1] = 1;
    return node;
  }

  #trace(origin: Vec3, direction: Vec3, reach: number, isAnyEnough: boolean): void {
    const hit = this.#hit;
    hit.distance = reach;
    hit.triangle = -1;
    const [ox, oy, oz] = origin;
    const [ix, iy, iz] = [1 / direction[0], 1 / direction[1], 1 / direction[2]];
    const boxes = this.#flatBoxes();
    const links = this.#flatLinks();
    const stack = this.#stack;
    let depth = 0;
    let node = 0;
    for (;;) {
      const b = node * 6;
      const x0 = ((boxes[b] as number) - ox) * ix;
      const x1 = ((boxes[b + 3] as number) - ox) * ix;
      const y0 = ((boxes[b + 1] as number) - oy) * iy;
      const y1 = ((boxes[b + 4] as number) - oy) * iy;
      const z0 = ((boxes[b + 2] as number) - oz) * iz;
      const z1 = ((boxes[b + 5] as number) - oz) * iz;
      const near = Math.max(x0 < x1 ? x0 : x1, y0 < y1 ? y0 : y1, z0 < z1 ? z0 : z1);
      const far = Math.min(x0 < x1 ? x1 : x0, y0 < y1 ? y1 : y0, z0 < z1 ? z1 : z0);
      if (far >= near && far > 0 && near < hit.distance) {
        const link = links[node * 2] as number;
        const count = links[node * 2 + 1] as number;
        if (count > 0) {
          stack[depth++] = link;
          node++;
          continue;
        }
        for (let i = link; i < link - count; i++) this.#meet(this.#order[i] as number, origin, direction);
        if (isAnyEnough && hit.triangle >= 0) return;
      }
      if (depth === 0) return;
      node = stack[--depth] as number;
    }
  }

  /** Möller–Trumbore, both faces. */
  #meet(triangle: number, origin: Vec3, direction: Vec3): void {
    const c = this.#corners;
    const i = triangle * 9;
    const ax = c[i] as number;
    const ay = c[i + 1] as number;
    const az = c[i + 2] as number;
    const ux = (c[i + 3] as number) - ax;
    const uy = (c[i + 4] as number) - ay;
    const uz = (c[i + 5] as number) - az;
    const vx = (c[i + 6] as number) - ax;
    const vy = (c[i + 7] as number) - ay;
    const vz = (c[i + 8] as number) - az;
    const [dx, dy, dz] = direction;
    const px = dy * vz - dz * vy;
    const py = dz * vx - dx * vz;
    const pz = dx * vy - dy * vx;
    const det = ux * px + uy * py + uz * pz;
    if (det > -1e-12 && det < 1e-12) return;
    const sx = origin[0] - ax;
    const sy = origin[1] - ay;
    const sz = origin[2] - az;
    const s = (sx * px + sy * py + sz * pz) / det;
    if (s < 0 || s > 1) return;
    const qx = sy * uz - sz * uy;
    const qy = sz * ux - sx * uz;
    const qz = sx * uy - sy * ux;
    const t = (dx * qx + dy * qy + dz * qz) / det;
    if (t < 0 || s + t > 1) return;
    const distance = (vx * qx + vy * qy + vz * qz) / det;
    if (distance > 0 && distance < this.#hit.distance) {
      this.#hit.distance = distance;
      this.#hit.triangle = triangle;
    }
  }

  #boxCache: Float64Array | null = null;
  #linkCache: Int32Array | null = null;

  #flatBoxes(): Float64Array {
    this.#boxCache ??= Float64Array.from(this.#boxes);
    return this.#boxCache;
  }

  #flatLinks(): Int32Array {
    this.#linkCache ??= Int32Array.from(this.#links);
    return this.#linkCache;
  }
}
