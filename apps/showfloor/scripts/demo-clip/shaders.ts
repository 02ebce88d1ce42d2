/** Leaf shadows in the window light; `shots.ts` moves them. */
export const LEAF_SHADOWS = 16;

/** GLSL ES 3.00 sources of the scene. Light arrives baked per vertex; this adds texture, gloss, and what moves. */

/** Exposure, filmic curve, warm grade, vignette, and a dither that hides banding. */
const GRADE = `
vec3 graded(vec3 c) {
  vec2 d = (gl_FragCoord.xy / uSize - 0.5) * vec2(1.0, 0.8);
  c *= 0.64 * (1.0 - 0.6 * dot(d, d));
  c = clamp((c * (2.51 * c + 0.03)) / (c * (2.43 * c + 0.59) + 0.14), 0.0, 1.0);
  c = pow(mix(vec3(dot(c, vec3(0.2126, 0.7152, 0.0722))), c, 1.04), vec3(1.0 / 2.2));
  return c + (fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5) / 255.0;
}
`;

const NOISE = `
float hash(vec3 p) { p = fract(p * 0.3183099 + 0.1); p *= 17.0; return fract(p.x * p.y * p.z * (p.x + p.y + p.z)); }
float noise(vec3 p) {
  vec3 i = floor(p), f = fract(p); f = f * f * (3.0 - 2.0 * f);
  return mix(mix(mix(hash(i), hash(i + vec3(1,0,0)), f.x), mix(hash(i + vec3(0,1,0)), hash(i + vec3(1,1,0)), f.x), f.y),
             mix(mix(hash(i + vec3(0,0,1)), hash(i + vec3(1,0,1)), f.x), mix(hash(i + vec3(0,1,1)), hash(i + vec3(1,1,1)), f.x), f.y), f.z);
}
float fbm(vec3 p) { return 0.55 * noise(p) + 0.3 * noise(p * 2.1 + 3.1) + 0.15 * noise(p * 4.3 + 7.7); }
`;

export const SURFACE_VERTEX = `#version 300 es
#define LEAF_SHADOWS ${LEAF_SHADOWS}
layout(location = 0) in vec3 aPosition;
layout(location = 1) in vec3 aNormal;
layout(location = 2) in vec2 aDirect;
layout(location = 3) in vec3 aBounced;
uniform mat4 uView;
uniform vec3 uKeyDirection;
uniform vec2 uPaneShift;
uniform vec4 uLeaves[LEAF_SHADOWS]; // centre, then cosine and sine of its turn
out vec3 vPosition; out vec3 vNormal; out vec2 vDirect; out vec3 vBounced;

// Window light through leaves outside: panes that wander over the set once per loop, and swaying blots. It is softer
// than the meshes are coarse, so it is worked out per vertex.
float windowPattern(vec3 p) {
  vec3 u = normalize(cross(vec3(0, 1, 0), uKeyDirection)), v = cross(uKeyDirection, u);
  vec2 q = vec2(dot(p, u), dot(p, v));
  vec2 w = q + uPaneShift;
  w.x += 0.16 * w.y;
  vec2 cell = fract(w / vec2(2.9, 3.3)) * vec2(2.9, 3.3);
  const float soft = 0.34;
  float pane = smoothstep(0.0, soft, cell.x) * smoothstep(2.9, 2.9 - soft, cell.x)
             * smoothstep(0.0, soft, cell.y) * smoothstep(3.3, 3.3 - soft, cell.y);
  float leaves = 0.0;
  for (int i = 0; i < LEAF_SHADOWS; i++) {
    vec2 d = q - uLeaves[i].xy;
    d = vec2(uLeaves[i].z * d.x - uLeaves[i].w * d.y, uLeaves[i].w * d.x + uLeaves[i].z * d.y);
    leaves = max(leaves, 1.0 - smoothstep(0.35, 1.25, length(d / vec2(0.62, 0.2))));
  }
  return mix(0.42, 1.0, pane) * (1.0 - 0.45 * leaves);
}

void main() {
  vPosition = aPosition; vNormal = aNormal; vBounced = aBounced;
  vDirect = vec2(aDirect.x * windowPattern(aPosition), aDirect.y);
  gl_Position = uView * vec4(aPosition, 1.0);
}`;

/** Compiled once per material, with `MATERIAL` defined in front: a software GPU runs every branch it is given. */
export const SURFACE_FRAGMENT = `precision highp float;
in vec3 vPosition; in vec3 vNormal; in vec2 vDirect; in vec3 vBounced;
uniform vec3 uEye, uOrigin, uKeyDirection, uKeyColor, uLampColor;
uniform float uLampLevel;
uniform vec2 uSize;
out vec4 outColor;
${NOISE}${GRADE}
// What glossy things mirror: a tall soft window left, a strip right, a pale ceiling, a warm floor.
vec3 studio(vec3 d, float blur) {
  float e = 0.05 + 0.5 * blur;
  float window = smoothstep(0.62 - e, 0.62 + e, dot(d, normalize(vec3(-0.72, 0.42, 0.55))) * 0.5 + 0.28);
  window *= 0.75 + 0.25 * smoothstep(-e * 0.3, e * 0.3, abs(d.y - 0.45) - 0.012);
  float strip = smoothstep(0.16 + e, 0.02, abs(d.x - 0.82)) * smoothstep(-0.3, 0.2, d.y) * smoothstep(-0.1, 0.3, d.z);
  vec3 base = mix(vec3(0.34, 0.25, 0.18), vec3(0.62, 0.58, 0.54), smoothstep(-0.5, 0.9, d.y));
  return base * 0.75 + vec3(3.0, 2.75, 2.4) * window + vec3(0.9, 0.85, 0.8) * strip;
}

float wood(vec3 p, out float pore) {
  vec3 q = p * vec3(1.0, 0.16, 1.0) + 0.3 * noise(p * vec3(1.6, 0.5, 1.6));
  float ring = length(q.xz + vec2(0.9, 0.4)) * 10.0 + 2.2 * noise(q * 2.2);
  float saw = fract(ring);
  pore = smoothstep(0.62, 0.9, noise(p * vec3(46.0, 3.2, 46.0)));
  return 0.42 * smoothstep(0.0, 0.85, saw) * smoothstep(1.0, 0.86, saw) + 0.58 * fbm(p * vec3(11.0, 0.9, 11.0));
}

float weave(vec3 p, vec3 n, out vec2 tilt) {
  vec2 q = abs(n.z) > 0.6 ? p.xy : (abs(n.x) > 0.6 ? p.zy : p.xz);
  q += 0.006 * vec2(noise(p * 9.0), noise(p * 9.0 + 5.0));
  vec2 t = q * 250.0;
  float over = step(0.0, sin(t.x * 0.5) * sin(t.y * 0.5));
  float slubX = noise(vec3(q.x * 58.0, q.y * 2.6, 1.0)), slubY = noise(vec3(q.x * 2.6, q.y * 58.0, 4.0));
  tilt = vec2(cos(t.x), cos(t.y)) * 0.08 + (vec2(slubX, slubY) - 0.5) * 0.2;
  return 0.66 + 0.06 * over + 0.2 * slubX + 0.2 * slubY;
}

// Round specks of very different sizes, at most one per cell.
float dots(vec3 p, float share) {
  vec3 i = floor(p), f = p - i;
  float r = hash(i) * hash(i + 17.3);
  vec3 c = 0.3 + 0.4 * vec3(hash(i + 3.1), hash(i + 5.7), hash(i + 9.2));
  float size = 0.27 * smoothstep(1.0 - share * 3.2, 1.0, r + 0.35);
  return size > 0.02 ? 1.0 - smoothstep(size * 0.7, size, length(f - c)) : 0.0;
}

// A maker's mark: a ring around a sprig of two leaves and a stem.
float mark(vec2 p) {
  float ring = 1.0 - smoothstep(0.006, 0.018, abs(length(p) - 0.26));
  vec2 m = vec2(abs(p.x), p.y + 0.03);
  vec2 l = mat2(0.78, 0.62, -0.62, 0.78) * (m - vec2(0.075, 0.055));
  float leaf = 1.0 - smoothstep(0.9, 1.1, length(l / vec2(0.042, 0.105)));
  float stem = (1.0 - smoothstep(0.006, 0.016, m.x)) * step(-0.13, m.y) * step(m.y, 0.05);
  return clamp(ring + leaf + stem, 0.0, 1.0);
}

void main() {
  vec3 V = normalize(uEye - vPosition);
  vec3 N = normalize(vNormal);
  if (dot(N, V) < 0.0) N = -N;
  vec3 p = vPosition - uOrigin;
  vec3 albedo = vec3(0.6);
  float gloss = 0.0, blur = 0.6, sheen = 0.0, through = 0.0;
  vec3 metal = vec3(0.0);

#if MATERIAL == 0
  albedo = vec3(0.53, 0.352, 0.238);
#elif MATERIAL == 1
  albedo = vec3(0.76, 0.67, 0.57) * (0.95 + 0.08 * noise(p * 6.0));
  albedo *= 1.0 - 0.13 * dots(p * 11.0, 0.16);
#elif MATERIAL == 2
  float around = atan(p.z, p.x);
  float edge = 0.34 + 0.035 * sin(around * 3.0 + 0.6) + 0.02 * sin(around * 7.0);
  bool inside = length(p.xz) < 0.515 && p.y > 0.85;
  float glazed = inside ? 1.0 : smoothstep(edge - 0.012, edge + 0.012, p.y);
  vec3 glaze = mix(vec3(0.29, 0.385, 0.325), vec3(0.42, 0.505, 0.42), noise(p * 2.6));
  glaze = mix(glaze, vec3(0.27, 0.18, 0.11), 0.8 * smoothstep(1.225, 1.28, p.y + 0.03 * noise(p * 7.0)));
  glaze = mix(glaze, vec3(0.25, 0.22, 0.16), 0.6 * (1.0 - smoothstep(edge, edge + 0.07, p.y)));
  if (inside) glaze = vec3(0.70, 0.63, 0.52);
  float speck = max(dots(p * 9.0, 0.13), max(dots(p * 17.0 + 3.3, 0.16), dots(p * 26.0 + 7.7, 0.2)));
  glaze = mix(glaze, vec3(0.14, 0.085, 0.05), 0.8 * speck);
  vec3 clay = vec3(0.43, 0.235, 0.135) * (0.85 + 0.25 * noise(p * 23.0));
  albedo = mix(clay, glaze, glazed);
  gloss = 0.09 * glazed; blur = 0.16;
  N = normalize(N + 0.035 * (vec3(noise(p * 5.0), noise(p * 5.0 + 4.0), noise(p * 5.0 + 8.0)) - 0.5) * glazed);
#elif MATERIAL == 3
  float foam = smoothstep(0.36, 0.5, length(p.xz) + 0.07 * noise(p * 9.0));
  albedo = mix(vec3(0.05, 0.022, 0.010), vec3(0.33, 0.17, 0.07), foam * 0.9 + 0.1 * noise(p * 12.0));
  gloss = 0.04; blur = 0.03;
#elif MATERIAL == 4 || MATERIAL == 11
  vec2 tilt; float w = weave(p, N, tilt);
  albedo = (MATERIAL == 4 ? vec3(0.74, 0.635, 0.49) : vec3(0.66, 0.55, 0.405)) * w;
  N = normalize(N + vec3(tilt, 0.0) * 0.5);
  #if MATERIAL == 4
  if (p.y > 2.03 && p.y < 2.5) {
    float seam = p.y + 0.075 * smoothstep(1.61, 2.3, p.y) * cos(3.14159 * p.x / 0.92) + 0.03 * p.x;
    float stitch = (1.0 - smoothstep(0.006, 0.013, abs(seam - 2.10))) * step(0.35, fract(p.x * 15.0));
    albedo *= 1.0 - 0.28 * stitch - 0.14 * (1.0 - smoothstep(0.0, 0.03, abs(seam - 2.075)));
  }
  if (vNormal.z > 0.3) albedo = mix(albedo, vec3(0.27, 0.14, 0.09) * (0.6 + 0.4 * w), 0.88 * mark((p.xy - vec2(0.0, 1.06)) / 1.2));
  #endif
  sheen = 0.10;
#elif MATERIAL == 5
  float pore; float grain = wood(p.y < 0.2 ? p.yxz : p, pore);
  albedo = mix(vec3(0.092, 0.040, 0.019), vec3(0.262, 0.125, 0.060), grain) * (1.0 - 0.4 * pore);
  gloss = 0.035; blur = 0.3;
#elif MATERIAL == 6
  albedo = vec3(0.05, 0.035, 0.015); metal = vec3(0.86, 0.60, 0.27); gloss = 0.001; blur = 0.16;
#elif MATERIAL == 7
  albedo = vec3(0.86, 0.80, 0.70); gloss = 0.03; blur = 0.3;
#elif MATERIAL == 9
  albedo = mix(vec3(0.17, 0.255, 0.165), vec3(0.32, 0.39, 0.28), noise(p * 6.0 + uOrigin * 9.0));
  gloss = 0.03; blur = 0.5; through = 0.16;
#elif MATERIAL == 10
  albedo = vec3(0.50, 0.20, 0.105) * (0.94 + 0.1 * noise(p * vec3(5.0, 7.0, 5.0)));
#elif MATERIAL == 12
  albedo = vec3(0.26, 0.145, 0.095) * (0.85 + 0.3 * noise(p * 9.0)); gloss = 0.015; blur = 0.6;
#endif

#if MATERIAL == 8
  outColor = vec4(graded(vec3(3.8, 2.6, 1.4) * uLampLevel * (0.62 + 0.38 * dot(N, V))), 1.0);
#else
  vec3 direct = uKeyColor * vDirect.x;
  float bump = 1.0;
  #if MATERIAL == 4 || MATERIAL == 11
  bump = clamp(1.0 + 1.3 * (dot(N, uKeyDirection) - dot(normalize(vNormal), uKeyDirection)), 0.4, 1.6);
  #endif
  vec3 light = direct * bump + uLampColor * uLampLevel * vDirect.y + vBounced * mix(1.0, bump, 0.5) + through * uKeyColor * 0.3;
  vec3 color = albedo * light;
  float facing = clamp(dot(N, V), 0.0, 1.0);
  if (gloss > 0.0) {
    float open = clamp(dot(vBounced, vec3(1.1)), 0.0, 1.0);
    vec3 fresnel = metal + vec3(gloss) + (vec3(1.0) - metal) * 0.7 * pow(1.0 - facing, 5.0) * (1.0 - 0.6 * blur);
    float glint = pow(clamp(dot(N, normalize(V + uKeyDirection)), 0.0, 1.0), mix(900.0, 30.0, sqrt(blur))) * mix(7.0, 0.6, sqrt(blur)) * vDirect.x;
    color += fresnel * (studio(reflect(-V, N), blur) * open + glint * uKeyColor);
  }
  color += sheen * pow(1.0 - facing, 3.0) * (vBounced + 0.4 * direct) * albedo * 3.0;
  outColor = vec4(graded(color), 1.0);
#endif
}`;

/** Steam, dust and the lamp's halo: camera-facing quads. */
export const AIR_VERTEX = `#version 300 es
uniform mat4 uView;
uniform vec3 uCentre, uRight, uUp;
out vec2 vAt;
void main() {
  vAt = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1)) * 2.0 - 1.0;
  gl_Position = uView * vec4(uCentre + uRight * vAt.x + uUp * vAt.y, 1.0);
}`;

export const AIR_FRAGMENT = `#version 300 es
precision highp float;
in vec2 vAt;
uniform int uKind;
uniform float uPhase;
uniform vec3 uTint;
out vec4 outColor;
float hash(vec2 p) { return fract(sin(dot(p, vec2(127.1, 311.7))) * 43758.5453); }
// Value noise that repeats every rows lattice steps in y, so that rising steam closes its loop.
float looped(vec2 p, float rows) {
  vec2 i = floor(p), f = fract(p); f = f * f * (3.0 - 2.0 * f);
  float y0 = mod(i.y, rows), y1 = mod(i.y + 1.0, rows);
  return mix(mix(hash(vec2(i.x, y0)), hash(vec2(i.x + 1.0, y0)), f.x), mix(hash(vec2(i.x, y1)), hash(vec2(i.x + 1.0, y1)), f.x), f.y);
}
void main() {
  if (uKind == 0) {
    float h = vAt.y * 0.5 + 0.5;
    float rise = uPhase * 24.0;
    float bend = (looped(vec2(0.5, h * 2.6 - rise * 0.5), 12.0) - 0.5) * 0.95 * h + (looped(vec2(7.5, h * 5.0 - rise), 24.0) - 0.5) * 0.28 * h;
    float x = vAt.x - bend;
    float width = 0.16 + 0.46 * h;
    float body = exp(-x * x / (width * width));
    float strands = looped(vec2(x / width * 1.5 + 3.0, h * 2.3 - rise * 0.5), 12.0) * 0.65 + looped(vec2(x / width * 3.4 + 9.0, h * 4.2 - rise), 24.0) * 0.35;
    float a = body * smoothstep(0.3, 0.78, strands) * smoothstep(0.0, 0.14, h) * pow(1.0 - h, 1.3) * smoothstep(1.0, 0.7, abs(vAt.x));
    a *= 0.9;
    outColor = vec4(uTint * a, a);
  } else {
    float r = length(vAt);
    float a = uKind == 1 ? smoothstep(1.0, 0.2, r) : pow(max(0.0, 1.0 - r), 2.6);
    outColor = vec4(uTint * a, 0.0);
  }
}`;
