import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { chooseSocketFolder } from '../src/postgres/socket-folder.ts';
import {
  endFloors,
  isAlive,
  makeDataDir,
  processesOf,
  type StandIns,
  type StartedFloor,
  startCommand,
  startFloor,
  waitFor,
} from './started-floor.ts';

const STOP_MAX_MS = 10_000;
const SHOP: StandIns = { chat: 'plain', shop: 'database' };

const floors: StartedFloor[] = [];
afterEach(async () => {
  await endFloors(floors.splice(0));
});

async function start(
  services: StandIns = SHOP,
  options: { dataDir?: string; env?: Record<string, string> } = {},
): Promise<StartedFloor> {
  const floor = await startFloor({ services, ...options });
  floors.push(floor);
  return floor;
}

async function ready(
  services: StandIns = SHOP,
  options: { dataDir?: string; env?: Record<string, string> } = {},
): Promise<StartedFloor> {
  const floor = await start(services, options);
  await floor.untilReady();
  return floor;
}

/** Runs the command line to its end. */
async function command(
  args: string[],
  dataDir: string,
  env?: Record<string, string>,
): Promise<{ code: number | string; output: string }> {
  const floor = await startCommand(args, dataDir, env);
  const code = await floor.exited;
  return { code, output: floor.output() };
}

async function query(floor: StartedFloor, sql: string): Promise<unknown[]> {
  const client = new pg.Client({
    host: chooseSocketFolder(floor.dataDir, ''),
    user: 'showfloor',
    database: 'showfloor',
  });
  client.on('error', () => undefined); // the query says it
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the embedded database', () => {
  test('starts durable, in UTF-8 and C.UTF-8, reachable through its socket only', async () => {
    const floor = await ready();
    const show = async (name: string): Promise<unknown> =>
      Object.values((await query(floor, `SHOW ${name}`))[0] ?? {})[0];
    expect(await show('fsync')).toBe('on');
    expect(await show('max_connections')).toBe('120');
    expect(await show('listen_addresses')).toBe('');
    expect(
      await query(
        floor,
        "SELECT datlocprovider p, datlocale l, pg_encoding_to_char(encoding) e FROM pg_database WHERE datname = 'showfloor'",
      ),
    ).toEqual([{ p: 'b', l: 'C.UTF-8', e: 'UTF8' }]);
    expect(await query(floor, "SELECT rolsuper FROM pg_roles WHERE rolname = 'showfloor'")).toEqual([
      { rolsuper: false },
    ]);
  });

  test('killed, it is restarted with its data, and the services keep their processes', async () => {
    const floor = await ready();
    await query(floor, 'CREATE TABLE paid (id int); INSERT INTO paid VALUES (7)');
    const before = [await floor.pidOf('chat'), await floor.pidOf('shop')];
    const postmaster = await floor.pidOf('postgres');
    process.kill(postmaster, 'SIGKILL');
    await waitFor('the database to be back', async () => (await floor.pidOf('postgres')) !== postmaster);
    expect(await query(floor, 'SELECT id FROM paid')).toEqual([{ id: 7 }]);
    expect([await floor.pidOf('chat'), await floor.pidOf('shop')]).toEqual(before);
  });

  test('keeps its data from one start to the next', async () => {
    const dataDir = makeDataDir();
    const first = await ready(SHOP, { dataDir });
    first.process.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    const second = await ready(SHOP, { dataDir });
    expect(await query(second, 'SELECT count(*)::int AS n FROM starts')).toEqual([{ n: 2 }]);
  });

  test('is made anew after its making was killed', async () => {
    const floor = await start();
    const draft = join(floor.dataDir, 'postgres/data.tmp');
    await waitFor('initdb to have begun', () => existsSync(join(draft, 'PG_VERSION')));
    floor.process.kill('SIGKILL');
    await waitFor('nothing to be left running', () => processesOf(floor.dataDir).length === 0);
    expect(existsSync(join(floor.dataDir, 'postgres/data'))).toBe(false);
    await ready(SHOP, { dataDir: floor.dataDir });
  });

  test('starts although a pid file names a process that is not PostgreSQL', async () => {
    const dataDir = makeDataDir();
    const first = await ready(SHOP, { dataDir });
    const pidFile = join(dataDir, 'postgres/data/postmaster.pid');
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    first.process.kill('SIGKILL');
    await waitFor('nothing to be left running', () => processesOf(dataDir).length === 0);
    writeFileSync(pidFile, [process.pid, ...lines.slice(1)].join('\n')); // that number is ours now
    await ready(SHOP, { dataDir });
  });

  test('starts below a path too long for a socket', async () => {
    const base = makeDataDir();
    const dataDir = join(base, 'a-folder-with-a-long-name'.repeat(4), 'shop');
    mkdirSync(dataDir, { recursive: true });
    const floor = await ready(SHOP, { dataDir, env: { XDG_RUNTIME_DIR: '' } });
    expect(await query(floor, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await endFloors(floors.splice(0));
    rmSync(base, { recursive: true, force: true });
  });

  test('starts where user namespaces are refused, and changes hands when they are allowed again', async () => {
    const dataDir = makeDataDir();
    const programs = makeDataDir();
    writeFileSync(join(programs, 'unshare'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const refused = await ready(SHOP, { dataDir, env: { PATH: `${programs}:${process.env.PATH}` } });
    await refused.end();
    const allowed = await ready(SHOP, { dataDir });
    expect(await query(allowed, 'SELECT count(*)::int AS n FROM starts')).toEqual([{ n: 2 }]);
    rmSync(programs, { recursive: true, force: true });
  });

  test('written by a newer PostgreSQL: one line that says what to do, exit 2', async () => {
    const dataDir = makeDataDir();
    mkdirSync(join(dataDir, 'postgres/data'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres/data/PG_VERSION'), '19\n');
    const floor = await start(SHOP, { dataDir });
    expect(await floor.exited).toBe(2);
    expect(floor.output()).toMatch(/cannot start: .*PostgreSQL 19, newer than the 18.*DATABASE_URL/);
  });

  test('a DATABASE_URL that does not answer: one line without the password, exit 2', async () => {
    const floor = await start(SHOP, { env: { DATABASE_URL: 'postgresql://shop:hunter2@127.0.0.1:9/shop' } });
    expect(await floor.exited).toBe(2);
    expect(floor.output()).toMatch(/cannot start: DATABASE_URL: .*ECONNREFUSED/);
    expect(floor.output()).not.toContain('hunter2');
  });
});

describe('what keeps it from starting: one line, exit 2, nothing left running', () => {
  test('a second start on the same folder', async () => {
    const first = await ready();
    const second = await start(SHOP, { dataDir: first.dataDir });
    expect(await second.exited).toBe(2);
    expect(second.output()).toContain(`already running on ${first.dataDir} (pid ${first.process.pid})`);
  });

  test('busy ports, all named at once with their owner, before anything is started', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const port = String((server.address() as { port: number }).port);
    const floor = await start(SHOP, { env: { COMMERCE_PORT: port, MEDIA_RTMP_PORT: '70000' } });
    expect(await floor.exited).toBe(2);
    expect(floor.output()).toContain('MEDIA_RTMP_PORT: "70000" is not a whole number');
    const other = await start(SHOP, { dataDir: floor.dataDir, env: { COMMERCE_PORT: port, WORKER_ADMIN_PORT: port } });
    expect(await other.exited).toBe(2);
    const busy = await start(SHOP, { dataDir: floor.dataDir, env: { COMMERCE_PORT: port } });
    expect(await busy.exited).toBe(2);
    server.close();
    expect(other.output()).toContain('also set as');
    expect(busy.output()).toMatch(
      new RegExp(`port ${port} \\(COMMERCE_PORT\\) is in use by .+ \\(pid ${process.pid}\\)`),
    );
    expect(existsSync(join(floor.dataDir, 'postgres'))).toBe(false);
  });

  test('a bad variable of the supervisor and one of a service', async () => {
    const typo = await start(SHOP, { env: { SHOWFLOOR_STREAM_KY: 'x' } });
    expect(await typo.exited).toBe(2);
    expect(typo.output()).toContain('did you mean SHOWFLOOR_STREAM_KEY');
    const refused = await start(SHOP, { env: { COMMERCE_TYPO: 'x' } });
    expect(await refused.exited).toBe(2);
    expect(refused.output().match(/COMMERCE_TYPO/g)).toHaveLength(1);
    expect(processesOf(refused.dataDir)).toEqual([]);
  });

  test('a data folder that cannot be written to', async () => {
    for (const dataDir of ['/proc/showfloor', '/dev/null/shop']) {
      const { code, output } = await command(['start', '--data-dir', dataDir], dataDir);
      expect(code).toBe(2);
      expect(output).toContain(`the data folder ${dataDir} cannot be written to`);
    }
  });

  test('bad usage', async () => {
    for (const args of [['strat'], ['start', '--no-dmeo'], ['publish'], ['publish', '--url', 'http://x/y']]) {
      expect(await command(args, makeDataDir())).toMatchObject({ code: 2 });
    }
    const help = await command(['--help'], makeDataDir());
    expect(help.code).toBe(0);
    for (const word of ['start', 'doctor', 'publish', 'MEDIA_RTMP_PORT', 'DATABASE_URL', '1935']) {
      expect(help.output).toContain(word);
    }
  });

  test('a service that fails each time ends the start with its last words and exit 1', async () => {
    const floor = await start({ chat: 'plain', shelf: 'broken' });
    expect(await floor.exited).toBe(1);
    expect(floor.output()).toMatch(
      /cannot start: shelf does not start .*TypeError: the shelf is empty.*logs\/shelf\.log/,
    );
    expect(processesOf(floor.dataDir)).toEqual([]);
  });
});

test('the doctor looks at everything, says what to do, and its exit code says whether a show can run', async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const port = String((server.address() as { port: number }).port);
  const dataDir = makeDataDir();
  const fine = await command(['doctor'], dataDir);
  expect(fine.code).toBe(0);
  for (const word of ['ports', 'open files', 'disk', 'ffmpeg', 'database', 'clock', 'tcp_notsent_lowat', '0 fail']) {
    expect(fine.output).toContain(word);
  }
  const busy = await command(['doctor'], dataDir, { MEDIA_RTMP_PORT: port });
  const elsewhere = await command(['doctor'], dataDir, { REDIS_URL: `redis://:hunter2@127.0.0.1:${port}` });
  server.close();
  expect(fine.output).toMatch(/^ok {4}Redis .*one realtime node/m);
  expect(elsewhere.output).toMatch(/^warn {2}Redis .*: each realtime node serves its own/m);
  expect(elsewhere.output).not.toContain('hunter2');
  expect(busy.code).toBe(1);
  expect(busy.output).toMatch(new RegExp(`^fail  ports .*${port} \\(MEDIA_RTMP_PORT\\) is in use`, 'm'));
  rmSync(dataDir, { recursive: true, force: true });
});

describe('running', () => {
  test('a killed service is restarted with what it had started, the others keep their pids', async () => {
    const floor = await ready();
    const [chat, shop, postgres] = [
      await floor.pidOf('chat'),
      await floor.pidOf('shop'),
      await floor.pidOf('postgres'),
    ];
    const grandchild = Number(readFileSync(`/proc/${chat}/task/${chat}/children`, 'utf8').trim());
    process.kill(chat, 'SIGKILL');
    await waitFor('chat to be back', async () => (await floor.pidOf('chat')) !== chat);
    expect([await floor.pidOf('shop'), await floor.pidOf('postgres')]).toEqual([shop, postgres]);
    await waitFor('its own process to be gone', () => !isAlive(grandchild));
    expect(floor.output()).toMatch(/chat ended \(SIGKILL\); it starts again in 0\.2 s/);
    await waitFor('the terminal to say so', () => floor.output().includes('chat serves again'));
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s drains: exit 0, nothing left, within 10 s',
    async (signal) => {
      const floor = await ready();
      const startedMs = Date.now();
      floor.process.kill(signal);
      expect(await floor.exited).toBe(0);
      expect(Date.now() - startedMs).toBeLessThan(STOP_MAX_MS);
      expect(processesOf(floor.dataDir)).toEqual([]);
      expect(readFileSync(join(floor.dataDir, 'logs/postgres.log'), 'utf8')).toContain('database system is shut down');
    },
  );

  test('a signal while it starts leaves nothing', async () => {
    const floor = await start();
    await waitFor('the first process', () => readdirSync(floor.dataDir).includes('supervisor.json'));
    floor.process.kill('SIGINT');
    expect(await floor.exited).toBe(0);
    expect(processesOf(floor.dataDir)).toEqual([]);
  });

  test('a second signal within 500 ms is the same wish, as npm sends Ctrl-C twice', async () => {
    const floor = await ready();
    floor.process.kill('SIGINT');
    floor.process.kill('SIGTERM'); // another one, because two of a kind may become one on their way
    expect(await floor.exited).toBe(0);
    expect(floor.output().match(/stopping …/g)).toHaveLength(1);
    expect(floor.output()).not.toContain('stopping at once');
  });

  test('killed with kill -9, it leaves nothing running, and the next start works at once', async () => {
    const floor = await ready();
    floor.process.kill('SIGKILL');
    const next = await ready(SHOP, { dataDir: floor.dataDir });
    await waitFor('the first floor to be gone', () => floor.process.signalCode === 'SIGKILL');
    expect(await query(next, 'SELECT count(*)::int AS n FROM starts')).toEqual([{ n: 2 }]);
    next.process.kill('SIGKILL');
    await waitFor('nothing to be left running', () => processesOf(floor.dataDir).length === 0, 10_000);
  });

  test('every line of a service is in its log file, only warnings and errors in the terminal', async () => {
    const floor = await ready();
    expect(readFileSync(join(floor.dataDir, 'logs/chat.log'), 'utf8')).toContain('service.started');
    expect(floor.output()).not.toContain('service.started');
  });
});
