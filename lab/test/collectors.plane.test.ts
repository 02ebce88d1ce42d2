/** Collectors at real servers: Redis, PostgreSQL, nginx, processes of this machine, a real scrape by HTTP. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Collector, Reading } from '../src/collectors/collector.ts';
import { containerCollector } from '../src/collectors/container-collector.ts';
import { healthCollector } from '../src/collectors/health-collector.ts';
import { hostCollector } from '../src/collectors/host-collector.ts';
import { SAMPLE_METRICS } from '../src/collectors/metric-names.ts';
import { nginxLogCollector, nginxStatusCollector } from '../src/collectors/nginx-collector.ts';
import { presentSources } from '../src/collectors/open-sources.ts';
import { postgresCollector } from '../src/collectors/postgres-collector.ts';
import { processCollector } from '../src/collectors/process-collector.ts';
import { parseExposition } from '../src/collectors/prometheus-text.ts';
import { redisCollector } from '../src/collectors/redis-collector.ts';
import { TailedFile } from '../src/collectors/tailed-file.ts';
import { startPrometheusEndpoint } from '../src/outputs/prometheus-endpoint.ts';

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
const hasNginx = spawnSync('nginx', ['-v']).status === 0;
if (process.env.CI === 'true' && !(hasRedis && hasNginx)) throw new Error('redis-server and nginx must be installed');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lab-collect-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scrape = async (collector: Collector): Promise<Reading> => {
  const readings = await collector.scrape(AbortSignal.timeout(10_000));
  const reading = readings[0];
  if (reading === undefined) throw new Error('no figures');
  const known = SAMPLE_METRICS[reading.collector ?? collector.collector].metrics;
  expect(Object.keys(reading.metrics).filter((name) => !(name in known))).toEqual([]);
  return reading;
};
const gap = (collector: Collector): Promise<string> =>
  Promise.resolve()
    .then(() => collector.scrape(AbortSignal.timeout(10_000)))
    .then(
      () => 'figures',
      (error: unknown) => String(error),
    );

describe.runIf(hasRedis)('Redis', () => {
  test('INFO of a real one: memory, clients, evictions, a restart, a wrong password', async () => {
    const port = await freePort();
    let redis = await startRedis(port);
    const collector = redisCollector('cache', new URL(`redis://:secret-word@127.0.0.1:${port}`));
    try {
      const first = await scrape(collector);
      expect(first.metrics).toMatchObject({ connected_clients: 1, blocked_clients: 0, pubsub_channels: 0 });
      expect(first.metrics).not.toHaveProperty('evicted_keys'); // nothing to compare with yet
      redisCli(port, 'eval', "for i=1,3000 do redis.call('set','k'..i,string.rep('x',2000)) end", '0');
      for (let round = 0; round < 2; round += 1)
        redisCli(port, 'eval', "for i=1,100 do redis.call('get','k'..i) end", '0');
      const second = await scrape(collector);
      expect(second.metrics.evicted_keys).toBeGreaterThan(0); // maxmemory 3 MB
      expect(second.metrics.used_memory_pct).toBeGreaterThan(50);
      expect(second.metrics.hit_pct).toBeLessThan(100);
      expect(second.metrics.keys).toBeGreaterThan(0);
      expect(second.metrics.command_p99_ms).toBeGreaterThan(0);
      await end(redis);
      expect(await gap(collector)).toMatch(/Redis closed|ECONNREFUSED|ECONNRESET/);
      redis = await startRedis(port);
      const third = await scrape(collector);
      expect(third.metrics).not.toHaveProperty('evicted_keys'); // another process: its counters began anew
      expect(third.metrics.keys).toBe(0);
      const wrong = redisCollector('cache', new URL(`redis://:other@127.0.0.1:${port}`));
      expect(await gap(wrong)).toMatch(/WRONGPASS|invalid/);
    } finally {
      await collector.close?.();
      await end(redis);
    }
  });

  test('one that is stopped does not answer: the scrape is given up, the next one connects anew', async () => {
    const port = await freePort();
    const redis = await startRedis(port);
    const collector = redisCollector('cache', new URL(`redis://:secret-word@127.0.0.1:${port}`));
    try {
      await scrape(collector);
      redis.kill('SIGSTOP');
      await expect(collector.scrape(AbortSignal.timeout(200))).rejects.toThrow(/closed/);
      redis.kill('SIGCONT');
      expect((await scrape(collector)).metrics.connected_clients).toBeGreaterThan(0);
    } finally {
      redis.kill('SIGCONT');
      await collector.close?.();
      await end(redis);
    }
  });
});

describe('PostgreSQL', () => {
  test('views of a real one: sessions, waiting for a lock, a deadlock, reads', async () => {
    const url = new URL(inject('postgresUrl'));
    const collector = postgresCollector('shop', url);
    const [one, two] = await Promise.all([session(url), session(url)]);
    try {
      await one.query('create temporary table nothing (n int)');
      await one.query(
        'create table if not exists lab_collect_test (id int primary key); insert into lab_collect_test values (1), (2) on conflict do nothing',
      );
      const first = await scrape(collector);
      expect(first.metrics.connections).toBeGreaterThanOrEqual(3);
      expect(first.metrics).not.toHaveProperty('deadlocks');
      await one.query('begin; select * from lab_collect_test where id = 1 for update');
      await two.query('begin; select * from lab_collect_test where id = 2 for update');
      const blocked = one.query('select * from lab_collect_test where id = 2 for update').catch((error) => error);
      await expect.poll(async () => (await scrape(collector)).metrics.waiting, { timeout: 20_000 }).toBe(1);
      const held = await scrape(collector);
      expect(held.metrics).toMatchObject({ locks_waiting: 1, active: 1, idle_in_transaction: 1 });
      expect(held.metrics.longest_transaction_s).toBeGreaterThan(0);
      const other = two.query('select * from lab_collect_test where id = 1 for update').catch((error) => error);
      const outcomes = await Promise.all([blocked, other]);
      expect(outcomes.filter((outcome) => outcome?.code === '40P01')).toHaveLength(1);
      await Promise.all([one.query('rollback'), two.query('rollback')]);
      const before = Number(held.metrics.deadlocks_total);
      await expect
        .poll(async () => (await scrape(collector)).metrics.deadlocks_total, { timeout: 30_000, interval: 200 })
        .toBeGreaterThan(before);
    } finally {
      await one.query('rollback').catch(() => undefined);
      await one.query('drop table if exists lab_collect_test').catch(() => undefined);
      await Promise.all([one.end(), two.end()]);
      await collector.close?.();
    }
  });

  test('one that is not there is a gap, and does not end the lab', async () => {
    const collector = postgresCollector('shop', new URL(`postgres://u:pw@127.0.0.1:${await freePort()}/x`));
    expect(await gap(collector)).toMatch(/ECONNREFUSED/);
    await collector.close?.();
  });
});

describe.runIf(hasNginx)('nginx', () => {
  test('its log with the documented format: rates, shares, times, rotation', async () => {
    const upstream = await startUpstream();
    const nginx = await startNginx(join(folder, 'nginx'), addressOf(upstream).port);
    const collector = nginxLogCollector('proxy', nginx.log);
    const status = nginxStatusCollector('proxy status', new URL(`${nginx.url}/status`));
    const get = (path: string) => fetch(nginx.url + path, { headers: { connection: 'close' } }).then((r) => r.text());
    const seen = { requests: 0, error_4xx: 0, error_5xx: 0, error_502: 0 };
    const until = async (requests: number): Promise<Reading> => {
      let last: Reading = { metrics: {} };
      await expect
        .poll(
          async () => {
            const reading = await scrape(collector);
            for (const name of Object.keys(seen) as (keyof typeof seen)[]) seen[name] += reading.metrics[name] ?? 0;
            if ((reading.metrics.requests ?? 0) > 0) last = reading;
            return seen.requests;
          },
          { timeout: 20_000 },
        )
        .toBe(requests);
      return last;
    };
    try {
      await get('/before');
      await scrape(collector); // takes its place: what was before is not of this run
      await Promise.all([get('/slow'), get('/ok'), get('/missing'), get('/dead')]);
      const last = await until(4);
      expect(seen).toEqual({ requests: 4, error_4xx: 1, error_5xx: 1, error_502: 1 });
      expect(last.metrics).toMatchObject({ error_5xx_pct: 25, error_4xx_pct: 25 });
      expect(last.metrics.rt_p99_ms).toBeGreaterThanOrEqual(190);
      expect(last.metrics.urt_p95_ms).toBeGreaterThanOrEqual(190);
      expect(last.histograms).toHaveProperty('rt_ms');
      renameSync(nginx.log, `${nginx.log}.1`);
      await get('/ok'); // still into the old file
      nginx.reopen();
      const isReopened = async (): Promise<boolean> => {
        await get('/ok');
        return existsSync(nginx.log);
      };
      await expect.poll(isReopened, { timeout: 20_000 }).toBe(true);
      await get('/ok');
      let after = 0;
      const more = async (): Promise<boolean> => {
        after += (await scrape(collector)).metrics.requests ?? 0;
        return after >= 3; // one into the old file, two or more into the new one
      };
      await expect.poll(more, { timeout: 20_000 }).toBe(true);
      expect((await scrape(status)).metrics).toMatchObject({ active_connections: 1, connections_dropped: 0 });
    } finally {
      await collector.close?.();
      await nginx.stop();
      upstream.closeAllConnections();
      upstream.close();
    }
  });
});

describe('a file that grows', () => {
  test('begins at its end, joins halves, survives truncation and rotation, skips what is too much', async () => {
    const path = join(folder, 'grows.log');
    writeFileSync(path, 'old\n');
    const file = new TailedFile(path);
    const lines = async (bytesMax?: number): Promise<string> => (await file.read(bytesMax)).lines.join('|');
    expect(await lines()).toBe('');
    appendFileSync(path, 'one\ntw');
    expect(await lines()).toBe('one');
    appendFileSync(path, 'o \u20ac\n');
    expect(await lines()).toBe('two \u20ac');
    truncateSync(path, 0);
    appendFileSync(path, 'x\n');
    expect(await lines()).toBe('x');
    appendFileSync(path, 'last of the old\n');
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'first of the new\n');
    expect(await lines()).toBe('last of the old|first of the new');
    appendFileSync(path, `${'y'.repeat(1000)}\ntail\n`);
    expect(await file.read(100)).toEqual({ lines: ['tail'], skippedBytes: expect.any(Number) });
    await file.close();
    expect(await gap(nginxLogCollector('x', join(folder, 'nowhere')))).toMatch(/ENOENT/);
  });
});

describe.runIf(process.platform === 'linux')('this machine', () => {
  test('a process and its children: CPU, memory, descriptors; found by port, found again after a restart', async () => {
    const port = await freePort();
    const script = `require('node:http').createServer().listen(${port}, '127.0.0.1');
      require('node:child_process').spawn(process.execPath, ['-e', 'for (;;);']);`;
    const launch = async (): Promise<ChildProcess> => {
      const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore', detached: true });
      await expect.poll(() => isListening(port), { timeout: 20_000 }).toBe(true);
      return child;
    };
    const killTree = async (child: ChildProcess): Promise<void> => {
      const gone = once(child, 'exit');
      process.kill(-(child.pid ?? 0), 'SIGKILL'); // its own group: detached
      await gone;
    };
    let child = await launch();
    const collector = processCollector('server', { port });
    try {
      const first = await scrape(collector);
      expect(first.metrics).not.toHaveProperty('cpu_pct');
      expect(first.metrics).toMatchObject({ restarts: 0, swap_mb: 0 });
      expect(first.metrics.processes).toBeGreaterThanOrEqual(1);
      await expect.poll(async () => (await scrape(collector)).metrics.cpu_pct, { timeout: 20_000 }).toBeGreaterThan(5);
      const busy = await scrape(collector);
      expect(busy.metrics.processes).toBe(2);
      expect(busy.metrics.mem_mb).toBeGreaterThan(20);
      expect(busy.metrics.fds).toBeGreaterThan(10);
      expect(busy.metrics.fds_limit_pct).toBeGreaterThan(0);
      await killTree(child);
      await expect.poll(() => gap(collector), { timeout: 20_000 }).toContain('no process');
      child = await launch();
      const again = await scrape(collector);
      expect(again.metrics.restarts).toBe(1);
      expect(again.labels?.pid).not.toBe(first.labels?.pid);
      const byPid = processCollector('server', { pid: child.pid ?? 0 });
      await scrape(byPid);
      await killTree(child);
      await expect.poll(() => gap(byPid), { timeout: 20_000 }).toMatch(/is gone/);
    } finally {
      if (child.exitCode === null && child.signalCode === null) await killTree(child);
    }
  });

  test('the host', async () => {
    const collector = hostCollector();
    await scrape(collector);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { metrics } = await scrape(collector);
    expect(metrics.cpu_pct).toBeGreaterThanOrEqual(0);
    expect(metrics.cpu_pct).toBeLessThanOrEqual(100);
    expect(metrics.mem_pct).toBeGreaterThan(0);
    expect(metrics.tcp_established).toBeGreaterThanOrEqual(0);
    expect(metrics.net_lo_mb).toBeGreaterThanOrEqual(0);
  });

  test('a container by its cgroup files, recorded: this machine has no cgroup v2', async () => {
    const cgroup = join(folder, 'cgroup');
    mkdirSync(cgroup);
    const write = (name: string, text: string): void => writeFileSync(join(cgroup, name), text);
    write('cpu.stat', 'usage_usec 1000000\nuser_usec 600000\n');
    write('memory.current', '300000000\n');
    write('memory.stat', 'anon 200000000\ninactive_file 90000000\n');
    write('memory.max', '420000000\n');
    write('memory.swap.current', '1048576\n');
    write('pids.current', '12\n');
    write(
      'io.stat',
      '254:0 rbytes=1048576 wbytes=2097152 rios=1 wios=1\n254:16 rbytes=1048576 wbytes=0 rios=1 wios=0\n',
    );
    write('cgroup.procs', `${process.pid}\n`);
    const collector = containerCollector('srs', cgroup);
    const { metrics } = await scrape(collector);
    expect(metrics).toMatchObject({
      mem_pct: 50,
      swap_mb: 1,
      pids: 12,
      block_read_mb: 2,
      block_write_mb: 2,
      processes: 1,
    });
    write('cpu.stat', 'usage_usec 1010000\n');
    expect((await scrape(collector)).metrics.cpu_pct).toBeGreaterThan(0);
    write('memory.max', 'max\n');
    expect((await scrape(collector)).metrics.mem_pct).toBeLessThan(50);
    expect(await gap(containerCollector('srs', join(folder, 'none')))).toMatch(/no cgroup/);
  });
});

test('health: another status is a figure, no answer is a gap; adapters keep only what answers', async () => {
  const server = createServer((_, response) => response.writeHead(503).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const where = `http://127.0.0.1:${addressOf(server).port}/ready`;
  expect((await scrape(healthCollector('x', new URL(where)))).metrics).toMatchObject({ status: 503, ready: 0 });
  const dead = { kind: 'health', name: 'dead', where: `http://127.0.0.1:${await freePort()}/` } as const;
  const alive = { kind: 'health', name: 'alive', where } as const;
  const notMetrics = { kind: 'prometheus', name: 'no metrics', where } as const;
  const { present, absent } = await presentSources([dead, alive, notMetrics]);
  expect(present.map(({ name }) => name)).toEqual(['alive']);
  expect(absent.map(({ name }) => name)).toEqual(['dead', 'no metrics']);
  server.close();
});

test('what is collected can be scraped by Prometheus', async () => {
  const endpoint = await startPrometheusEndpoint({ port: 0 });
  try {
    const head = { atMs: 0, atWallMs: Date.now(), source: 'say "hi"' };
    endpoint.addSample({ ...head, collector: 'redis', metrics: { used_memory_mb: 201, evicted_keys: 2 } });
    endpoint.addSample({
      ...head,
      collector: 'srs',
      metrics: { stream_recv_kbps: 2600 },
      labels: { stream: 'live/a' },
    });
    endpoint.addSample({ ...head, collector: 'postgres', error: 'gone' });
    endpoint.addSample({ ...head, collector: 'host', atWallMs: Date.now() - 3_600_000, metrics: { load1: 9 } });
    const answer = await fetch(endpoint.url);
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
    const { types, samples } = parseExposition(await answer.text());
    const shown = (name: string, labels: Record<string, string> = {}) =>
      samples.find(
        (one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
      )?.value;
    expect(types.get('lab_redis_used_memory_mb')).toBe('gauge');
    expect(shown('lab_redis_used_memory_mb', { source: 'say "hi"' })).toBe(201);
    expect(shown('lab_srs_stream_recv_kbps', { stream: 'live/a' })).toBe(2600);
    expect(shown('lab_collector_up', { collector: 'postgres' })).toBe(0);
    expect(shown('lab_alert_firing', { rule: 'redis-evictions' })).toBe(1); // one sample is enough for this one
    expect(shown('lab_alert_firing', { rule: 'redis-memory' })).toBeUndefined();
    expect(shown('lab_host_load1')).toBeUndefined(); // an hour old
    expect((await fetch(new URL('/', endpoint.url))).status).toBe(404);
    const { port } = new URL(endpoint.url);
    await expect(startPrometheusEndpoint({ port: Number(port) })).rejects.toThrow(/something else listens/);
  } finally {
    await endpoint.close();
  }
});

function addressOf(server: Server): AddressInfo {
  return server.address() as AddressInfo;
}

async function session(url: URL): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function startRedis(port: number): Promise<ChildProcess> {
  const memory = [
    '--maxmemory',
    '3mb',
    '--maxmemory-policy',
    'allkeys-lru',
    '--save',
    '',
    '--requirepass',
    'secret-word',
  ];
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...memory, '--dir', folder], {
    stdio: 'ignore',
  });
  await expect.poll(() => isListening(port), { timeout: 20_000 }).toBe(true);
  return child;
}

function redisCli(port: number, ...command: string[]): void {
  spawnSync('redis-cli', ['-p', String(port), '-a', 'secret-word', '--no-auth-warning', ...command]);
}

async function startUpstream(): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/slow') setTimeout(() => response.end('slow'), 200);
    else response.writeHead(request.url === '/missing' ? 404 : 200).end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** The log format is that of `nginx-log-line.ts`, word for word. */
async function startNginx(home: string, upstreamPort: number) {
  mkdirSync(join(home, 'temp'), { recursive: true });
  const port = await freePort();
  const log = join(home, 'access.log');
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${home}/temp/${name};`,
  );
  writeFileSync(
    join(home, 'nginx.conf'),
    `daemon off; pid ${home}/nginx.pid; worker_processes 1; error_log ${home}/error.log; events { worker_connections 64; }
     http { ${temp.join(' ')}
       log_format showfloor '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                            '"$http_referer" "$http_user_agent" '
                            'rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" '
                            'urt="$upstream_response_time"';
       access_log ${log} showfloor;
       server { listen 127.0.0.1:${port};
         location = /status { stub_status; access_log off; }
         location = /dead { proxy_pass http://127.0.0.1:1; }
         location / { proxy_pass http://127.0.0.1:${upstreamPort}; } } }`,
  );
  const child = spawn('nginx', ['-c', join(home, 'nginx.conf'), '-p', home, '-e', join(home, 'error.log')], {
    stdio: 'ignore',
  });
  await expect.poll(() => isListening(port), { timeout: 20_000 }).toBe(true);
  return { url: `http://127.0.0.1:${port}`, log, reopen: () => child.kill('SIGUSR1'), stop: () => end(child) };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
