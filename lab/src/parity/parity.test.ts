import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BLOCK_DEPTH_MAX, ConfigSyntaxError, parseBlockConfig } from './block-config.ts';
import { compareParity, parityExitCode } from './compare-parity.ts';
import { nginxSettings, redisSettings, type Settings, srsSettings } from './config-settings.ts';
import { ParityReferenceError, parseReference, referenceText } from './parity-reference.ts';

const strategy = parseReference(readFileSync(new URL('../../parity/strategy.yaml', import.meta.url), 'utf8'));

const NGINX = `
# a comment with { braces; }
events { worker_connections 2048; }
http {
  limit_req_zone $binary_remote_addr zone=api_limit:10m rate=30r/s;
  limit_req_zone $binary_remote_addr zone=auth:10m rate=5r/s;
  log_format main '$remote_addr "$request" rt=$request_time;';
  server { listen 80; location ~ \\.m3u8$ { add_header X "a;b"; } }
}`;
const SRS = `
listen 1935; max_connections 5000; srs_threads 4;
vhost __defaultVhost__ { hls { enabled on; hls_fragment 1; hls_window 4; } play { gop_cache on; gop_cache_max_frames 30; } }`;
const REDIS = 'redis_version:7.4.1\r\nmaxmemory:268435456\r\nmaxmemory_policy:allkeys-lru\r\n';

const RIGHT: Settings = {
  ...nginxSettings(NGINX),
  ...srsSettings(SRS),
  ...redisSettings(REDIS),
  'srs.version': '6.0.155',
  'postgres.version': '16.4 (Debian 16.4-1)',
  'node.version': 'v24.21.0',
  'docker.network': 'live-commerce-network',
  'host.cpus': 2,
  'host.memory_mb': 4096,
};

const outcomes = (settings: Settings, reference = strategy) =>
  Object.fromEntries(compareParity(reference, settings).map(({ setting, outcome }) => [setting, outcome]));

test('the environment of the strategy matches its reference, whatever the generator is', () => {
  const rows = compareParity(strategy, RIGHT);
  expect(rows.filter(({ demand, outcome }) => !demand.isAdvisory && outcome !== 'match')).toEqual([]);
  expect(parityExitCode(rows)).toBe(0);
  expect(parityExitCode(compareParity(strategy, { ...RIGHT, 'generator.cores': 2 }))).toBe(0);
});

test.each([
  ['srs.version', '5.0.210'],
  ['srs.threads', 1],
  ['srs.gop_cache', 'off'],
  ['srs.hls_fragment', 2],
  ['srs.max_connections', 1000],
  ['nginx.worker_connections', 1024],
  ['nginx.limit_req.api', '10r/s'],
  ['nginx.limit_req.auth', '50r/s'],
  ['postgres.version', '15.6'],
  ['redis.version', '6.2'],
  ['redis.maxmemory_mb', 512],
  ['node.version', 'v20.1.0'],
  ['docker.network', 'none of that name'],
  ['host.cpus', 8],
  ['host.memory_mb', 8192],
])('drift of %s is a mismatch: exit code 5', (setting, value) => {
  const rows = compareParity(strategy, { ...RIGHT, [setting]: value });
  expect(rows.filter(({ outcome }) => outcome === 'mismatch').map((row) => row.setting)).toEqual([setting]);
  expect(parityExitCode(rows)).toBe(5);
});

test('what could not be read is unknown, never a match: exit code 4', () => {
  const { 'redis.version': _, ...rest } = RIGHT;
  expect(outcomes(rest)['redis.version']).toBe('unknown');
  expect(parityExitCode(compareParity(strategy, rest))).toBe(4);
});

test('a difference that is written down is accepted, and shown as such', () => {
  const reference = parseReference('{"version":1,"settings":{"host.cpus":{"value":2,"delta":"staging has four"}}}');
  const rows = compareParity(reference, { 'host.cpus': 4 });
  expect(rows[0]?.outcome).toBe('accepted');
  expect(parityExitCode(rows)).toBe(0);
});

test('an environment meets the reference that is made of it, and a version is more than its first digit', () => {
  const reference = parseReference(referenceText('made', RIGHT));
  expect(parityExitCode(compareParity(reference, RIGHT))).toBe(0);
  expect(outcomes({ ...RIGHT, 'srs.version': '60.0' })['srs.version']).toBe('mismatch');
});

test.each([
  ['no version', 'settings: { a: 1 }'],
  ['an unknown match', 'version: 1\nsettings: { a: { value: 1, match: about } }'],
  ['a bare on, which YAML may take for true', 'version: 1\nsettings: { a: true }'],
  ['nothing', 'version: 1\nsettings: {}'],
  ['no YAML', '{'],
])('a reference with %s is refused', (_name, text) => {
  expect(() => parseReference(text)).toThrow(ParityReferenceError);
});

test('configuration files: braces in comments and quotes are text, blocks have to end', () => {
  expect(nginxSettings(NGINX)).toEqual({
    'nginx.worker_connections': 2048,
    'nginx.limit_req.api': '30r/s',
    'nginx.limit_req.auth': '5r/s',
  });
  expect(() => parseBlockConfig('http {')).toThrow(ConfigSyntaxError);
  expect(() => parseBlockConfig('}')).toThrow(/line 1: unexpected }/);
  expect(() => parseBlockConfig(`${'a {'.repeat(BLOCK_DEPTH_MAX + 1)}`)).toThrow(/too deeply/);
});
