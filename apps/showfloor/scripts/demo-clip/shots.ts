import { BULB_CENTRE } from './lights.ts';
import { COFFEE_LEVEL } from './product-mug.ts';
import { STAND } from './scene.ts';
import { LEAF_SHADOWS } from './shaders.ts';
import { add, cross, dot, normalize, scale, seededRandom, smoothstep, sub, type Vec3 } from './vector.ts';

/** Length of the loop; every motion closes after it. */
export const LOOP_SECONDS = 12;

/** Where the camera is: `fov` is the vertical angle in radians. */
export type Pose = { readonly eye: Vec3; readonly look: Vec3; readonly fov: number };

/** A camera-facing quad: 0 steam, 1 dust, 2 halo. */
type AirQuad = {
  readonly kind: 0 | 1 | 2;
  readonly centre: Vec3;
  readonly right: Vec3;
  readonly up: Vec3;
  readonly tint: Vec3;
};

/** One picture for the painter: `view` is column-major, `phase` runs 0…1 through the loop. */
export type Shot = {
  readonly view: readonly number[];
  readonly eye: Vec3;
  readonly phase: number;
  readonly lampLevel: number;
  readonly paneShift: readonly [number, number];
  /** Centre x, y, cosine, sine per leaf shadow. */
  readonly leaves: readonly number[];
  readonly air: readonly AirQuad[];
};

const FOV = 0.5;

/** All three products, for the poster and the start of the loop. */
export const WIDE: Pose = { eye: [0.35, 2.75, 11.6], look: [0.05, 1.95, 0], fov: FOV };
const MUG: Pose = { eye: [-3.35, 3.55, 5.1], look: [-2.6, 2.06, 0.1], fov: FOV };
const TOTE: Pose = { eye: [0.75, 2.35, 8.0], look: [0.02, 1.95, 0], fov: FOV };
const LAMP: Pose = { eye: [3.3, 1.75, 6.9], look: [2.5, 2.1, 0], fov: FOV };

/** Square stills of each product. */
export const STILLS = {
  mug: { eye: [-3.35, 3.5, 5.3], look: [-2.6, 2.02, 0.2], fov: 0.46 },
  tote: { eye: [0.75, 2.35, 8.4], look: [0.0, 1.98, 0], fov: 0.5 },
  lamp: { eye: [3.3, 1.75, 7.4], look: [2.62, 2.1, 0], fov: 0.48 },
} as const satisfies Record<string, Pose>;

const STOPS: readonly (readonly [seconds: number, pose: Pose])[] = [
  [0, WIDE],
  [3.2, MUG],
  [6.2, TOTE],
  [9.2, LAMP],
  [12, WIDE],
];

/** The tour at `seconds`: eased from stop to stop, never quite at rest, closed after `LOOP_SECONDS`. */
export function poseAt(seconds: number): Pose {
  const t = ((seconds % LOOP_SECONDS) + LOOP_SECONDS) % LOOP_SECONDS;
  const next = STOPS.findIndex(([at]) => at > t);
  const [fromAt, from] = STOPS[next - 1] ?? [0, WIDE];
  const [toAt, to] = STOPS[next] ?? [LOOP_SECONDS, WIDE];
  const s = (t - fromAt) / (toAt - fromAt);
  const eased = smoothstep(0.04, 0.96, s) * 0.94 + s * 0.06;
  const mix = (a: Vec3, b: Vec3): Vec3 => add(scale(a, 1 - eased), scale(b, eased));
  const phase = (t / LOOP_SECONDS) * 2 * Math.PI;
  const drift: Vec3 = [0.1 * Math.sin(phase * 2), 0.05 * Math.sin(phase + 1), 0.08 * Math.cos(phase * 2)];
  return { eye: add(mix(from.eye, to.eye), drift), look: mix(from.look, to.look), fov: FOV };
}

/** Everything the painter needs for the picture at `seconds` from `pose`. */
export function shotAt(seconds: number, pose: Pose, aspect: number): Shot {
  const ahead = normalize(sub(pose.look, pose.eye));
  const right = normalize(cross(ahead, [0, 1, 0]));
  const axes = { ahead, right, up: cross(right, ahead) };
  const phase = (seconds / LOOP_SECONDS) % 1;
  const turn = phase * 2 * Math.PI;
  return {
    view: projection(pose.eye, axes, pose.fov, aspect),
    eye: pose.eye,
    phase,
    lampLevel: 1 + 0.06 * Math.sin(2 * turn),
    paneShift: [0.75 * Math.sin(turn), 0.2 * Math.cos(turn)],
    leaves: leafShadows(turn),
    air: air(phase, right, axes.up),
  };
}

/** A branch in front of the window, swaying; `turn` runs through 2π per loop. */
function leafShadows(turn: number): number[] {
  return Array.from({ length: LEAF_SHADOWS }, (_, i) => {
    const flutter = 0.12 * Math.sin(2 * turn + i * 1.7);
    const x = -6.4 + 0.82 * i + 0.5 * Math.sin(i * 2.4) + 0.26 * Math.sin(turn) + flutter;
    const y = 2.1 + 1.5 * Math.sin(i * 1.3) + 0.5 * flutter;
    const angle = i * 0.9 + 0.16 * Math.sin(turn + i);
    return [x, y, Math.cos(angle), Math.sin(angle)];
  }).flat();
}

type Axes = { readonly ahead: Vec3; readonly right: Vec3; readonly up: Vec3 };

/** World to clip space. */
function projection(eye: Vec3, { ahead, right, up }: Axes, fov: number, aspect: number): number[] {
  const near = 0.5;
  const far = 60;
  const f = 1 / Math.tan(fov / 2);
  const row = (axis: Vec3): readonly number[] => [...axis, -dot(axis, eye)];
  const [r, u, a] = [row(right), row(up), row(ahead)];
  const depthScale = (far + near) / (far - near);
  return [0, 1, 2, 3].flatMap((i) => {
    const depth = depthScale * (a[i] ?? 0) - (i === 3 ? (2 * far * near) / (far - near) : 0);
    return [(f / aspect) * (r[i] ?? 0), f * (u[i] ?? 0), depth, a[i] ?? 0];
  });
}

const DUST = (() => {
  const random = seededRandom(5);
  return Array.from({ length: 70 }, () => ({
    home: [random() * 9 - 4.5, 0.8 + random() * 4, -0.6 + random() * 3.6] as Vec3,
    size: 0.008 + 0.012 * random() ** 3,
    turns: 1 + Math.floor(random() * 2),
    offset: random() * 2 * Math.PI,
    glow: 0.25 + 0.75 * random(),
  }));
})();

function air(phase: number, right: Vec3, up: Vec3): AirQuad[] {
  const steam: AirQuad = {
    kind: 0,
    centre: add(STAND.mug, [0.02, COFFEE_LEVEL + 0.78, 0]),
    right: scale(right, 0.55),
    up: [0, 0.84, 0],
    tint: [1, 0.975, 0.94],
  };
  const halo: AirQuad = {
    kind: 2,
    centre: add(BULB_CENTRE, [0, -0.05, 0.3]),
    right: scale(right, 1.9),
    up: scale(up, 1.9),
    tint: [0.2, 0.125, 0.05],
  };
  const dust = DUST.map(({ home, size, turns, offset, glow }): AirQuad => {
    const a = phase * 2 * Math.PI * turns + offset;
    const centre = add(home, [0.3 * Math.sin(a), 0.22 * Math.cos(a + offset), 0.2 * Math.sin(a + 2)]);
    const shine = glow * (0.6 + 0.4 * Math.sin(a * 2));
    return {
      kind: 1,
      centre,
      right: scale(right, size),
      up: scale(up, size),
      tint: [0.3 * shine, 0.25 * shine, 0.18 * shine],
    };
  });
  return [steam, halo, ...dust];
}
