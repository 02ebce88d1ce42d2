import { MATERIAL } from './materials.ts';
import { lathe, type Mesh, placed, softOutline, sweep } from './mesh.ts';
import { add, type Vec3 } from './vector.ts';

/** Centre and radius of the glowing bulb, relative to the lamp's foot. */
export const BULB: { readonly offset: Vec3; readonly radius: number } = { offset: [-0.62, 2.02, 0.3], radius: 0.2 };

const POST: Vec3 = [0.42, 0, -0.1];
const POST_HEIGHT = 2.55;
const SHADE_TILT = 0.3;

/** A desk lamp turned from walnut: foot, post, arm and shade, with brass joints. */
export function lampMeshes(foot: Vec3): Mesh[] {
  const at = (offset: Vec3): Vec3 => add(foot, offset);
  const disc = softOutline(
    [
      [0.66, 0],
      [0.68, 0.06],
      [0.62, 0.17],
      [0, 0.17],
    ],
    0.05,
    0.04,
  );
  const hub: Vec3 = [BULB.offset[0] + 0.11, BULB.offset[1] + 0.6, BULB.offset[2] - 0.02];
  const elbow: Vec3 = [POST[0], POST_HEIGHT, POST[2]];
  return [
    lathe(MATERIAL.walnut, foot, disc, 128),
    rod(MATERIAL.walnut, at(POST), [0, 0.17, 0], [0, POST_HEIGHT, 0], 0.068, 0.055),
    collar(at([POST[0], 0.17, POST[2]]), 0.1, 0.07),
    ball(at(elbow), 0.095),
    rod(MATERIAL.walnut, foot, extend(hub, elbow, -0.42), hub, 0.05, 0.044),
    ball(at(extend(hub, elbow, -0.42)), 0.075),
    ...shade(at(BULB.offset)),
  ];
}

/** The point `by` units beyond `to`, coming from `from` (negative: the far side of `to`). */
function extend(from: Vec3, to: Vec3, by: number): Vec3 {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1], to[2] - from[2]);
  const t = 1 - by / length;
  return [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t, from[2] + (to[2] - from[2]) * t];
}

function rod(material: number, origin: Vec3, from: Vec3, to: Vec3, thickFrom: number, thickTo: number): Mesh {
  return sweep(
    material,
    origin,
    (s) => [from[0] + (to[0] - from[0]) * s, from[1] + (to[1] - from[1]) * s, from[2] + (to[2] - from[2]) * s],
    [0, 0, 1],
    (s) => {
      const thick = thickFrom + (thickTo - thickFrom) * s;
      return { wide: thick, thick, squareness: 1 };
    },
    { columns: 28, rows: 70 },
  );
}

function collar(foot: Vec3, radius: number, height: number): Mesh {
  const outline = softOutline(
    [
      [radius, 0],
      [radius, height],
      [0, height],
    ],
    0.02,
    0.02,
  );
  return lathe(MATERIAL.brass, foot, outline, 40);
}

function ball(centre: Vec3, radius: number, material: number = MATERIAL.brass): Mesh {
  const arc = Array.from({ length: 25 }, (_, i) => {
    const angle = (i / 24 - 0.5) * Math.PI;
    return [radius * Math.cos(angle), radius * Math.sin(angle)] as const;
  });
  return lathe(material, centre, arc, 40);
}

/** Walnut dome outside, enamel inside, brass cap; it leans away from the post. */
function shade(bulb: Vec3): Mesh[] {
  const tilt = (mesh: Mesh): Mesh =>
    placed(mesh, (p) => {
      const x = p[0] - bulb[0];
      const y = p[1] - bulb[1];
      return [
        bulb[0] + x * Math.cos(SHADE_TILT) + y * Math.sin(SHADE_TILT),
        bulb[1] - x * Math.sin(SHADE_TILT) + y * Math.cos(SHADE_TILT),
        p[2],
      ];
    });
  const outside = softOutline(
    [
      [0.74, -0.1],
      [0.77, -0.1],
      [0.72, 0.12],
      [0.5, 0.4],
      [0.2, 0.52],
      [0.1, 0.54],
      [0, 0.54],
    ],
    0.16,
    0.025,
  );
  const inside = softOutline(
    [
      [0, 0.49],
      [0.18, 0.48],
      [0.46, 0.37],
      [0.68, 0.1],
      [0.74, -0.1],
    ],
    0.14,
    0.03,
  );
  return [
    tilt(lathe(MATERIAL.walnut, bulb, outside, 128)),
    tilt(lathe(MATERIAL.enamel, bulb, inside, 96)),
    tilt(collar(add(bulb, [0, 0.53, 0]), 0.085, 0.12)),
    ball(bulb, BULB.radius, MATERIAL.bulb),
  ];
}
