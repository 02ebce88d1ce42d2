import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** One entry of Vite's manifest, as far as it is needed. */
type ManifestChunk = {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
};
type Manifest = Readonly<Record<string, ManifestChunk>>;

export type ScriptSize = { readonly file: string; readonly gzipBytes: number };

/** The watch page asks for these right away although they are chunks of their own; the player is not among them. */
const EAGER_CHUNKS = ['src/shop/cart-drawer.tsx'] as const;

/** All script the watch page loads before the player, largest first. Throws when `dist` holds no finished build. */
export function watchPageScripts(distFolder: string): ScriptSize[] {
  const manifest = JSON.parse(readFileSync(join(distFolder, '.vite', 'manifest.json'), 'utf8')) as Manifest;
  const entries = Object.keys(manifest).filter((key) => manifest[key]?.isEntry === true);
  const files = new Set<string>();
  const visit = (key: string): void => {
    const chunk = manifest[key];
    if (chunk === undefined) throw new Error(`the build has no chunk ${key}`);
    if (files.has(chunk.file)) return;
    files.add(chunk.file);
    for (const each of chunk.imports ?? []) visit(each);
  };
  for (const key of [...entries, ...EAGER_CHUNKS]) visit(key);
  return [...files]
    .filter((file) => file.endsWith('.js'))
    .map((file) => ({ file, gzipBytes: gzipSync(readFileSync(join(distFolder, file))).byteLength }))
    .toSorted((a, b) => b.gzipBytes - a.gzipBytes);
}
