import type { Vec3 } from './vector.ts';

/** Material numbers, shared with the fragment shader (`shaders.ts`), which draws their textures. */
export const MATERIAL = {
  backdrop: 0,
  plaster: 1,
  glaze: 2,
  coffee: 3,
  linen: 4,
  walnut: 5,
  brass: 6,
  enamel: 7,
  bulb: 8,
  leaf: 9,
  terracotta: 10,
  strap: 11,
  clay: 12,
} as const;

/** Mean diffuse reflectance (linear RGB, 0…1) by material number: what light bounced off it looks like. */
export const BOUNCE_ALBEDO: readonly Vec3[] = [
  [0.53, 0.35, 0.24],
  [0.74, 0.66, 0.57],
  [0.34, 0.42, 0.36],
  [0.03, 0.015, 0.008],
  [0.62, 0.53, 0.4],
  [0.16, 0.075, 0.038],
  [0.5, 0.36, 0.16],
  [0.8, 0.74, 0.64],
  [0.9, 0.85, 0.75],
  [0.16, 0.24, 0.14],
  [0.5, 0.22, 0.13],
  [0.56, 0.46, 0.33],
  [0.36, 0.2, 0.13],
];
