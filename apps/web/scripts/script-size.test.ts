import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { watchPageScripts } from './script-size.ts';

const dist = mkdtempSync(join(tmpdir(), 'showfloor-dist-'));
afterAll(() => rmSync(dist, { recursive: true }));

function build(manifest: object, files: readonly string[]): void {
  mkdirSync(join(dist, '.vite'), { recursive: true });
  writeFileSync(join(dist, '.vite', 'manifest.json'), JSON.stringify(manifest));
  for (const file of files) writeFileSync(join(dist, file), `export const name = '${file}';`);
}

test('counts what the page loads at once, each file one time, and not the player', () => {
  build(
    {
      'index.html': {
        file: 'index.js',
        isEntry: true,
        imports: ['_vendor.js'],
        dynamicImports: ['src/watch/live-player.ts'],
      },
      '_vendor.js': { file: 'vendor.js', imports: [] },
      'src/shop/cart-drawer.tsx': { file: 'drawer.js', imports: ['_vendor.js', 'index.html'] },
      'src/watch/live-player.ts': { file: 'player.js', imports: ['_vendor.js'] },
    },
    ['index.js', 'vendor.js', 'drawer.js', 'player.js'],
  );
  expect(
    watchPageScripts(dist)
      .map(({ file }) => file)
      .toSorted(),
  ).toEqual(['drawer.js', 'index.js', 'vendor.js']);
});

test('a build without the expected chunks is an error, not a small page', () => {
  build({ 'index.html': { file: 'index.js', isEntry: true } }, ['index.js']);
  expect(() => watchPageScripts(dist)).toThrow('src/shop/cart-drawer.tsx');
});
