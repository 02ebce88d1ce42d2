/** Reads the settings of an environment from where the user says they are. A source that cannot be read is a note, not a setting. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { monotonicMs } from '../clock.ts';
import { boundedText } from '../collectors/http-get.ts';
import { RespClient } from '../collectors/resp-client.ts';
import { hostSettings } from '../run-folder/fingerprint.ts';
import { nginxSettings, redisSettings, type Settings, srsSettings } from './config-settings.ts';

/** Where to look; absent: that part is unknown. Files may be paths or http URLs. */
export type ParitySources = {
  readonly target?: URL;
  readonly nginxConf?: string;
  readonly srsConf?: string;
  readonly srsApi?: URL;
  readonly postgres?: URL;
  readonly redis?: URL;
  /** Name of a container network that must exist. */
  readonly dockerNetwork?: string;
};

/** What was read, and which sources failed, in words without secrets. */
export type Environment = { readonly settings: Settings; readonly notes: readonly string[] };

const TIMEOUT_MS = 5000;
const ROUND_TRIPS = 5;
const run = promisify(execFile);

/** Asks every source that is named, and this machine. */
export async function readEnvironment(sources: ParitySources): Promise<Environment> {
  const { target, nginxConf, srsConf, srsApi, postgres, redis, dockerNetwork } = sources;
  const parts: readonly (readonly [string, (() => Promise<Settings>) | null])[] = [
    ['this machine', () => Promise.resolve(hostSettings())],
    ['target', target === undefined ? null : () => roundTrip(target)],
    ['nginx.conf', nginxConf === undefined ? null : async () => nginxSettings(await textOf(nginxConf))],
    ['srs.conf', srsConf === undefined ? null : async () => srsSettings(await textOf(srsConf))],
    ['SRS', srsApi === undefined ? null : () => srsVersion(srsApi)],
    ['PostgreSQL', postgres === undefined ? null : () => postgresSettings(postgres)],
    ['Redis', redis === undefined ? null : () => redisInfo(redis)],
    ['Docker', dockerNetwork === undefined ? null : () => dockerSettings(dockerNetwork)],
  ];
  let settings: Settings = {};
  const notes: string[] = [];
  for (const [name, read] of parts) {
    if (read === null) continue;
    try {
      settings = { ...settings, ...(await read()) };
    } catch (error) {
      notes.push(
        `${name} could not be read: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown'}`,
      );
    }
  }
  return { settings, notes };
}

async function textOf(place: string): Promise<string> {
  if (!/^https?:/.test(place)) return readFile(place, 'utf8');
  const response = await fetch(place, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`it answers ${response.status}`);
  return boundedText(response);
}

/** The shortest of several: what the way takes, without what the server does. */
async function roundTrip(target: URL): Promise<Settings> {
  const times: number[] = [];
  for (let count = 0; count < ROUND_TRIPS; count += 1) {
    const startedMs = monotonicMs();
    const response = await fetch(target, { method: 'HEAD', signal: AbortSignal.timeout(TIMEOUT_MS) });
    times.push(monotonicMs() - startedMs);
    await response.body?.cancel();
  }
  return { 'generator.round_trip_ms': Math.round(Math.min(...times) * 10) / 10 };
}

/** https://ossrs.io/lts/en-us/docs/v6/doc/http-api: /api/v1/versions. */
async function srsVersion(api: URL): Promise<Settings> {
  const response = await fetch(new URL('/api/v1/versions', api), { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const answer = JSON.parse(await boundedText(response)) as { data?: { version?: string } };
  const version = answer.data?.version;
  return version === undefined ? {} : { 'srs.version': version };
}

async function postgresSettings(url: URL): Promise<Settings> {
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: TIMEOUT_MS });
  try {
    await client.connect();
    const show = async (name: string): Promise<string> => {
      const { rows } = await client.query<Record<string, string>>(`show ${name}`);
      return Object.values(rows[0] ?? {})[0] ?? '';
    };
    return {
      'postgres.version': await show('server_version'),
      'postgres.max_connections': Number(await show('max_connections')),
      'postgres.shared_buffers': await show('shared_buffers'),
      'postgres.fsync': await show('fsync'),
    };
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function redisInfo(url: URL): Promise<Settings> {
  const client = new RespClient(url);
  try {
    return redisSettings(await client.command(['INFO'], AbortSignal.timeout(TIMEOUT_MS)));
  } finally {
    client.close();
  }
}

async function dockerSettings(network: string): Promise<Settings> {
  const { stdout } = await run('docker', ['network', 'ls', '--format', '{{.Name}}'], { timeout: TIMEOUT_MS });
  return { 'docker.network': stdout.split('\n').includes(network) ? network : 'none of that name' };
}
