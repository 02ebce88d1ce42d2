import { TriangleTree } from './bvh.ts';
import { BULB_CENTRE, domeLight, KEY_COLOR, KEY_DIRECTION, KEY_SPREAD, LAMP_COLOR } from './lights.ts';
import { BOUNCE_ALBEDO, MATERIAL } from './materials.ts';
import type { Mesh } from './mesh.ts';
import { BULB } from './product-lamp.ts';
import { add, dot, normalize, scale, sub, tangents, type Vec3 } from './vector.ts';

/** Floats per vertex that `bakeRange` writes: window light, lamp light (0…), then bounced light as linear RGB. */
export const BAKED_FLOATS = 5;

/** How many rays per vertex; more is smoother and slower. */
export type BakeQuality = { readonly keyRays: number; readonly lampRays: number; readonly domeRays: number };

const LIFT = 0.006; // ray origins sit this far off the surface, in scene units
const SECOND_BOUNCE = 0.32; // flat stand-in for light that bounced more than once

/** The tree that lighting rays run through: everything but the bulb, which is a light itself. */
export function lightingTree(meshes: readonly Mesh[]): TriangleTree {
  return new TriangleTree(meshes.filter((mesh) => mesh.material !== MATERIAL.bulb));
}

/** Light arriving at `position`: soft window shadows, lamp light and one bounce from the surroundings. */
export function bakeVertex(
  tree: TriangleTree,
  position: Vec3,
  normal: Vec3,
  seed: number,
  quality: BakeQuality,
): number[] {
  const from = add(position, scale(normal, LIFT));
  const shift: readonly [number, number] = [(seed * 0.754877666) % 1, (seed * 0.569840296) % 1];
  return [
    windowLight(tree, from, normal, shift, quality.keyRays),
    lampLight(tree, from, normal, shift, quality.lampRays),
    ...bouncedLight(tree, from, normal, shift, quality.domeRays),
  ];
}

/** The k-th point of a plane-filling sequence (R2) in 0…1, moved by `shift`. */
function spread(k: number, shift: readonly [number, number]): readonly [number, number] {
  return [(shift[0] + k * 0.754877666246693) % 1, (shift[1] + k * 0.569840290998053) % 1];
}

function windowLight(tree: TriangleTree, from: Vec3, n: Vec3, shift: readonly [number, number], rays: number): number {
  const [u, v] = tangents(KEY_DIRECTION);
  let sum = 0;
  for (let k = 0; k < rays; k++) {
    const [a, b] = spread(k, shift);
    const radius = Math.sqrt(a) * KEY_SPREAD;
    const sideways = add(scale(u, radius * Math.cos(b * 2 * Math.PI)), scale(v, radius * Math.sin(b * 2 * Math.PI)));
    const direction = normalize(add(KEY_DIRECTION, sideways));
    const facing = dot(direction, n);
    if (facing > 0 && !tree.isBlocked(from, direction)) sum += facing;
  }
  return sum / rays;
}

function lampLight(tree: TriangleTree, from: Vec3, n: Vec3, shift: readonly [number, number], rays: number): number {
  let sum = 0;
  for (let k = 0; k < rays; k++) {
    const [a, b] = spread(k, shift);
    const y = 1 - 2 * a;
    const ring = Math.sqrt(1 - y * y);
    const point: Vec3 = [ring * Math.cos(b * 2 * Math.PI), y, ring * Math.sin(b * 2 * Math.PI)];
    const away = sub(add(BULB_CENTRE, scale(point, BULB.radius)), from);
    const distance = Math.sqrt(dot(away, away));
    const direction = scale(away, 1 / distance);
    const facing = dot(direction, n);
    if (facing > 0 && !tree.isBlocked(from, direction, distance)) sum += facing / (0.12 + distance * distance);
  }
  return sum / rays;
}

function bouncedLight(tree: TriangleTree, from: Vec3, n: Vec3, shift: readonly [number, number], rays: number): Vec3 {
  const [u, v] = tangents(n);
  let sum: Vec3 = [0, 0, 0];
  for (let k = 0; k < rays; k++) {
    const [a, b] = spread(k, shift);
    const radius = Math.sqrt(a);
    const flat = add(scale(u, radius * Math.cos(b * 2 * Math.PI)), scale(v, radius * Math.sin(b * 2 * Math.PI)));
    const direction = add(flat, scale(n, Math.sqrt(1 - a)));
    const hit = tree.nearest(from, direction);
    sum = add(
      sum,
      hit
        ? lightLeaving(tree, add(from, scale(direction, hit.distance)), direction, hit.triangle)
        : domeLight(direction),
    );
  }
  return scale(sum, 1 / rays);
}

/** What a surface seen along `direction` sends back: its colour times direct light. */
function lightLeaving(tree: TriangleTree, point: Vec3, direction: Vec3, triangle: number): Vec3 {
  const raw = tree.normal(triangle);
  const n = dot(raw, direction) > 0 ? scale(raw, -1) : raw;
  const from = add(point, scale(n, LIFT));
  const albedo = BOUNCE_ALBEDO[tree.materials[triangle] ?? 0] ?? [0.5, 0.5, 0.5];
  const keyFacing = dot(n, KEY_DIRECTION);
  const key = keyFacing > 0 && !tree.isBlocked(from, KEY_DIRECTION) ? keyFacing * 0.8 : 0;
  const away = sub(BULB_CENTRE, from);
  const distance = Math.sqrt(dot(away, away));
  const lampFacing = dot(n, away) / distance;
  const isLit = lampFacing > 0 && !tree.isBlocked(from, scale(away, 1 / distance), distance);
  const lamp = isLit ? lampFacing / (0.12 + distance * distance) : 0;
  const channel = (i: 0 | 1 | 2): number =>
    albedo[i] * (key * KEY_COLOR[i] + lamp * LAMP_COLOR[i] + SECOND_BOUNCE * (1 - 0.12 * i));
  return [channel(0), channel(1), channel(2)];
}
