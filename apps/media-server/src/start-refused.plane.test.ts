import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

test.each([
  ['a port alone', { MEDIA_RTMPS_PORT: '1' }, /not set: MEDIA_TLS_CERT_FILE, MEDIA_TLS_KEY_FILE/],
  ['files alone', { MEDIA_TLS_CERT_FILE: '/a', MEDIA_TLS_KEY_FILE: '/b' }, /not set: MEDIA_RTMPS_PORT/],
  [
    'a file that is not there',
    { MEDIA_RTMPS_PORT: '1', MEDIA_TLS_CERT_FILE: '/nowhere.pem', MEDIA_TLS_KEY_FILE: '/nowhere.key' },
    /\/nowhere\.pem cannot be read \(ENOENT\)/,
  ],
])('RTMPS with %s stops the start with one clear line', (_name, variables, message) => {
  const folder = mkdtempSync(join(tmpdir(), 'media-server-'));
  const result = spawnSync(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, DATA_DIR: folder, MEDIA_RTMP_PORT: '0', MEDIA_HTTP_PORT: '0', ...variables },
    timeout: 20_000,
  });
  rmSync(folder, { recursive: true, force: true });
  expect([result.status, result.stderr.toString() + result.stdout.toString()]).toEqual([
    2,
    expect.stringMatching(message),
  ]);
});
