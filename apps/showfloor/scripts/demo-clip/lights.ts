import { BULB } from './product-lamp.ts';
import { STAND } from './scene.ts';
import { add, dot, normalize, type Vec3 } from './vector.ts';

/** Towards the studio's window: high, left, in front. */
export const KEY_DIRECTION: Vec3 = normalize([-0.62, 0.72, 0.58]);
/** Tangent of half the window's apparent size: how soft its shadows are. */
export const KEY_SPREAD = 0.075;
/** Linear RGB of direct window light on a surface that faces it. */
export const KEY_COLOR: Vec3 = [2.3, 2.0, 1.62];
/** Centre of the lamp's bulb in scene space. */
export const BULB_CENTRE: Vec3 = add(STAND.lamp, BULB.offset);
/** Linear RGB of the lamp's light at distance 1 on a surface that faces it. */
export const LAMP_COLOR: Vec3 = [2.3, 1.3, 0.58];

const FILL_DIRECTION = normalize([0.75, 0.35, 0.6]);
const SOFTBOX_DIRECTION = normalize([-0.35, 0.9, 0.35]);

/** Light of the empty studio from a direction: warm dome, a softbox above, a cool fill from the right. */
export function domeLight(direction: Vec3): Vec3 {
  const up = direction[1] * 0.5 + 0.5;
  const box = Math.max(0, dot(direction, SOFTBOX_DIRECTION)) ** 6;
  const fill = Math.max(0, dot(direction, FILL_DIRECTION)) ** 3;
  return [
    0.19 + 0.1 * up + 0.55 * box + 0.14 * fill,
    0.16 + 0.11 * up + 0.52 * box + 0.15 * fill,
    0.135 + 0.13 * up + 0.49 * box + 0.18 * fill,
  ];
}
