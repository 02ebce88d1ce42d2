import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const [light = '', dark = ''] = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8').split('@media');
/** WCAG 2.2, 1.4.11: what shows the focus against what is around it. */
const CONTRAST_MIN = 3;

test.each([
  ['light', light],
  ['dark', dark],
])('the focus is seen on every surface and is not the colour of an error: %s', (_scheme, css) => {
  for (const surface of ['page', 'raised', 'sunken']) {
    expect(contrast(colourOf(css, 'focus'), colourOf(css, surface))).toBeGreaterThanOrEqual(CONTRAST_MIN);
  }
  const [red = 0, , blue = 0] = colourOf(css, 'focus');
  expect(blue).toBeGreaterThan(red);
});

function colourOf(css: string, name: string): number[] {
  const hex = new RegExp(`--sf-${name}: #([0-9a-f]{6});`).exec(css)?.[1] ?? '';
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
}

/** Contrast ratio as WCAG defines it, 1 to 21. */
function contrast(one: readonly number[], other: readonly number[]): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
