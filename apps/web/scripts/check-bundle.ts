import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { watchPageScripts } from './script-size.ts';

/** Script of the watch page before the player, gzip. */
const WATCH_PAGE_GZIP_BYTES_MAX = 250_000;

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const scripts = watchPageScripts(dist);
const totalBytes = scripts.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
for (const { file, gzipBytes } of scripts) console.log(`${kilobytes(gzipBytes).padStart(9)}  ${file}`);
console.log(
  `${kilobytes(totalBytes).padStart(9)}  watch page before the player (at most ${kilobytes(WATCH_PAGE_GZIP_BYTES_MAX)})`,
);
if (totalBytes > WATCH_PAGE_GZIP_BYTES_MAX) {
  console.error('The watch page loads too much script: move a part of it into a lazy chunk.');
  process.exitCode = 1;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}
