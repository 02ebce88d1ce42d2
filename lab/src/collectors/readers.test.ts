/** What servers and the kernel say, as recorded, and what is made of it. */
import { describe, expect, test } from 'vitest';
import { parseDockerStats } from './docker-stats.ts';
import { ExpositionWindow } from './exposition-window.ts';
import { type CollectorKind, SAMPLE_METRICS } from './metric-names.ts';
import { parseStubStatus } from './nginx-collector.ts';
import { parseAccessLine } from './nginx-log-line.ts';
import { readPostgres } from './postgres-collector.ts';
import { listeningInodes, parseProcMemory, parseProcStat, treeOf } from './proc-files.ts';
import { readKnown } from './prometheus-collector.ts';
import { parseExposition } from './prometheus-text.ts';
import { parseInfo, readRedis } from './redis-collector.ts';
import { readAnswer } from './resp-client.ts';
import { readSrs } from './srs-collector.ts';
import { countSrsLog } from './srs-log-collector.ts';
import { deltaPercent, ViewerCount } from './viewer-count.ts';

/** Names that the catalogue does not have. */
const unknown = (collector: CollectorKind, metrics: Readonly<Record<string, number>>): string[] =>
  Object.keys(metrics).filter((name) => !(name in SAMPLE_METRICS[collector].metrics));

describe('/proc', () => {
  test('a process whose name has brackets and spaces', () => {
    const line =
      '4242 (a (b) c) S 17 4242 4242 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 11 0 987654 1 2 18446744073709551615';
    expect(parseProcStat(line)).toEqual({
      pid: 4242,
      name: 'a (b) c',
      state: 'S',
      parentPid: 17,
      cpuTicks: 200,
      threads: 11,
      startTicks: 987_654,
    });
    expect(parseProcStat('')).toBeNull();
  });

  test('memory and swap', () => {
    const status =
      'Name:\tnode\nVmSwap:\t    512 kB\nRssAnon:\t   2048 kB\nRssFile:\t   1024 kB\nRssShmem:\t      4 kB\n';
    expect(parseProcMemory(status)).toEqual({
      anonymousBytes: 2_097_152,
      fileBytes: 1_048_576,
      sharedBytes: 4096,
      swapBytes: 524_288,
    });
  });

  test('a process and all that it started', () => {
    const one = (pid: number, parentPid: number) => ({
      pid,
      parentPid,
      name: 'x',
      state: 'S',
      cpuTicks: 0,
      threads: 1,
      startTicks: 0,
    });
    const all = [one(1, 0), one(5, 1), one(6, 5), one(7, 6), one(8, 1)];
    expect(treeOf(all, 5).map(({ pid }) => pid)).toEqual([5, 6, 7]);
    expect(treeOf(all, 99)).toEqual([]);
  });

  test('who listens on a port: not who is connected to it', () => {
    const text = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0',
      '   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 778 1 0',
      '   2: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 779 1 0',
    ].join('\n');
    expect(listeningInodes(text, 8080)).toEqual(['777']);
  });
});

describe('docker stats, recorded; docker is not run here', () => {
  test('one line per container', () => {
    const recorded =
      '{"BlockIO":"1.2MB / 45.1kB","CPUPerc":"45.20%","Container":"3f1","ID":"3f1","MemPerc":"25.00%","MemUsage":"1GiB / 4GiB","Name":"live-commerce-srs","NetIO":"157MB / 4.72GB","PIDs":"12"}\n' +
      '{"BlockIO":"-- / --","CPUPerc":"--","Container":"4a2","ID":"4a2","MemPerc":"--","MemUsage":"-- / --","Name":"gone","NetIO":"-- / --","PIDs":"--"}\n';
    const [srs, gone] = parseDockerStats(recorded);
    expect(srs?.labels).toEqual({ name: 'live-commerce-srs' });
    expect(srs?.metrics).toMatchObject({ cpu_pct: 45.2, mem_mb: 1024, mem_pct: 25, pids: 12 });
    expect(srs?.metrics.net_tx_mb).toBeCloseTo(4501.3, 0);
    expect(unknown('container', srs?.metrics ?? {})).toEqual([]);
    expect(gone?.metrics).toEqual({}); // nothing is known of it: nothing is said
    expect(() => parseDockerStats('Cannot connect to the Docker daemon')).toThrow(/Cannot connect/);
  });
});

describe('nginx', () => {
  const head =
    '10.0.0.7 - - [28/Feb/2026:10:00:00 +0000] "GET /live/demo.flv HTTP/1.1" 200 512 "-" "curl/8 \\x22quoted\\x22" ';
  test.each([
    ['rt=0.012 uct="0.001" uht="0.010" urt="0.011"', [200, 12, 1, 10, 11]],
    ['rt=5.000 uct="0.002, 0.003" uht="-, 0.5" urt="0.1 : 0.2"', [200, 5000, 3, 500, 200]],
    ['rt=0.000 uct="-" uht="-" urt="-"', [200, 0, null, null, null]],
    ['', [200, null, null, null, null]],
  ])('%s', (fields, expected) => {
    const line = parseAccessLine(head + fields);
    expect(line && [line.status, line.requestMs, line.connectMs, line.headerMs, line.responseMs]).toEqual(expected);
  });

  test('a request that tries to look like timing fields', () => {
    const line = '1.2.3.4 - - [x] "GET /?rt=9.9 HTTP/1.1" 404 0 "-" " rt=8.8" rt=0.001 uct="-" uht="-" urt="-"';
    expect(parseAccessLine(line)).toMatchObject({ status: 404, requestMs: 1 });
  });

  test('a line of something else is none', () => expect(parseAccessLine('segfault at 0')).toBeNull());

  test('stub_status', () => {
    const page =
      'Active connections: 291 \nserver accepts handled requests\n 16630948 16630946 31070465 \nReading: 6 Writing: 179 Waiting: 106 \n';
    expect(parseStubStatus(page)).toEqual({
      active_connections: 291,
      waiting_connections: 106,
      connections_dropped: 2,
    });
    expect(() => parseStubStatus('<html>')).toThrow(/stub_status/);
  });
});

describe('SRS, recorded; SRS itself is not run here', () => {
  test('its API', () => {
    const stream = {
      id: 'vid-1',
      name: 'livestream',
      app: 'live',
      clients: 3,
      kbps: { recv_30s: 2650, send_30s: 5300 },
      publish: { active: true, cid: '9' },
      video: { codec: 'H264' },
    };
    const dead = {
      ...stream,
      name: 'gone',
      clients: 0,
      kbps: { recv_30s: 0, send_30s: 0 },
      publish: { active: false },
    };
    const [server, live, gone] = readSrs({
      summaries: {
        code: 0,
        data: { ok: true, self: { cpu_percent: 0.27, mem_kbyte: 20_480 }, system: { conn_srs: 4 } },
      },
      streams: { code: 0, streams: [stream, dead] },
      clients: { code: 0, clients: [{ publish: true }, { publish: false }, { publish: false }] },
    });
    expect(server?.metrics).toEqual({
      clients: 3,
      viewers: 2,
      streams: 1,
      recv_kbps: 2650,
      send_kbps: 5300,
      cpu_pct: 27,
      mem_mb: 20,
      connections: 4,
    });
    expect([live?.labels, live?.metrics.publish_active]).toEqual([{ stream: 'live/livestream' }, 1]);
    expect([gone?.labels, gone?.metrics.publish_active]).toEqual([{ stream: 'live/gone' }, 0]);
    expect([server, live].flatMap((one) => unknown('srs', one?.metrics ?? {}))).toEqual([]);
  });

  test('its log', () => {
    const recorded = [
      '[2023-07-26 10:21:10.538][WARN][1886329][4m513556][104] client disconnect peer. ret=1007',
      '[2020-08-08 09:09:52.006][Trace][1641296][23304] shrinking, size=0, removed=1031, max=10000ms',
      '[2020-08-08 09:09:52.022][Warn][1641296][27119][11] drop frame, queue is full',
      '[2020-07-09 16:16:54.121][Error][1032][503][4] serve error code=1011 : service cycle : rtmp: stream service : rtmp: publish timeout 5000ms, nb_msgs=3',
      '[2023-07-26 10:21:10.823][INFO][1886329][o870b58r] -> HLS time=440450831ms, sno=146, ts=djkcyl-145.ts, dur=2384ms, dva=0p',
    ];
    expect(countSrsLog(recorded)).toEqual({
      disconnects_per_min: 1,
      frame_drops_per_min: 1032,
      publish_timeouts_per_min: 1,
    });
  });
});

describe('Prometheus text', () => {
  test('names, labels, escapes, special values, time stamps', () => {
    const { types, samples } = parseExposition(
      [
        '# HELP a what',
        '# TYPE a counter',
        'a 1',
        'a{x="1",y="a\\"b\\\\c\\nd, e}"} 2.5e3 1700000000000',
        'b{le="+Inf"} +Inf',
        'c NaN',
        'd{x="",} .5',
        '',
      ].join('\n'),
    );
    expect(types.get('a')).toBe('counter');
    expect(samples).toEqual([
      { name: 'a', labels: {}, value: 1 },
      { name: 'a', labels: { x: '1', y: 'a"b\\c\nd, e}' }, value: 2500 },
      { name: 'b', labels: { le: '+Inf' }, value: Number.POSITIVE_INFINITY },
      { name: 'c', labels: {}, value: Number.NaN },
      { name: 'd', labels: { x: '' }, value: 0.5 },
    ]);
  });

  test.each(['<html>', 'a{x=1} 2', 'a{x="1"} two', 'a', 'a{x="1" 2', '1a 2'])('%s is refused whole', (line) => {
    expect(() => parseExposition(`fine 1\n${line}\n`)).toThrow(/line 2/);
  });

  const page = (count: number, slow: number, refused = 0, started = 1000): string =>
    [
      '# TYPE http_request_duration_seconds histogram',
      `http_request_duration_seconds_bucket{status="200",le="0.1"} ${count}`,
      `http_request_duration_seconds_bucket{status="200",le="0.5"} ${count}`,
      `http_request_duration_seconds_bucket{status="200",le="+Inf"} ${count}`,
      `http_request_duration_seconds_count{status="200"} ${count}`,
      `http_request_duration_seconds_bucket{status="503",le="0.1"} 0`,
      `http_request_duration_seconds_bucket{status="503",le="0.5"} ${slow}`,
      `http_request_duration_seconds_bucket{status="503",le="+Inf"} ${slow}`,
      `http_request_duration_seconds_count{status="503"} ${slow}`,
      `realtime_connections_opened_total 100`,
      `# TYPE realtime_connections_refused_total counter`,
      refused === 0 ? '' : `realtime_connections_refused_total{reason="origin"} ${refused}`,
      `realtime_namespace_connections{namespace="/chat"} 7`,
      `process_start_time_seconds ${started}`,
    ].join('\n');
  const between = (before: string, after: string) =>
    new ExpositionWindow(parseExposition(after), parseExposition(before), 5);

  test('quantiles of what came in between, over all labels', () => {
    const readings = readKnown(between(page(1000, 0), page(1080, 20)));
    const api = readings.find(({ collector }) => collector === 'api')?.metrics ?? {};
    expect(api.req_per_sec).toBe(20);
    expect(api.error_5xx_pct).toBe(20);
    expect(api.p50_ms).toBeCloseTo(62.5, 5); // rank 50 of 80 in the first 100 ms
    expect(api.p95_ms).toBeCloseTo(400, 5); // rank 95: 15 of 20 on the way from 100 to 500 ms
    expect(readings.flatMap(({ collector, metrics }) => unknown(collector ?? 'node', metrics))).toEqual([]);
  });

  test('a restart is no negative growth', () => {
    const window = between(page(1000, 0), page(30, 0));
    expect(window.growth('http_request_duration_seconds_count')).toBe(30);
  });

  test('a counter that has not counted yet has not grown; one that is not there is unknown', () => {
    const window = between(page(1, 0), page(1, 0));
    expect(window.growth('realtime_connections_refused_total')).toBe(0);
    expect(window.growth('nothing_total')).toBeUndefined();
  });

  test('the first scrape has levels and nothing that needs two', () => {
    const first = readKnown(new ExpositionWindow(parseExposition(page(10, 0)), null, Number.NaN));
    const sockets = first.find(({ collector }) => collector === 'websocket')?.metrics;
    expect(sockets).toEqual({ chat_connections: 7 });
    expect(first.some(({ collector }) => collector === 'api')).toBe(false);
  });
});

describe('Redis', () => {
  const info = (more: Record<string, string | number>) =>
    parseInfo(
      Object.entries({
        used_memory: 1_048_576,
        maxmemory: 0,
        keyspace_hits: 0,
        keyspace_misses: 0,
        evicted_keys: 0,
        ...more,
      })
        .map(([key, value]) => `${key}:${value}`)
        .join('\r\n'),
    );

  test('what grew since the last scrape, and the hit rate since the first', () => {
    const first = info({ keyspace_hits: 900, keyspace_misses: 1, evicted_keys: 5 });
    const now = info({
      keyspace_hits: 990,
      keyspace_misses: 11,
      evicted_keys: 8,
      maxmemory: 4_194_304,
      db0: 'keys=3,expires=0',
    });
    const { metrics } = readRedis(now, { earlier: first, first });
    expect(metrics).toMatchObject({ evicted_keys: 3, hit_pct: 90, used_memory_mb: 1, used_memory_pct: 25, keys: 3 });
    expect(unknown('redis', metrics)).toEqual([]);
  });

  test('without a limit there is no share of it, without lookups no hit rate', () => {
    const { metrics } = readRedis(info({}), { earlier: null, first: info({}) });
    expect(metrics).not.toHaveProperty('used_memory_pct');
    expect(metrics).not.toHaveProperty('hit_pct');
    expect(metrics).not.toHaveProperty('evicted_keys');
  });

  test.each([
    ['+OK\r\n', { text: 'OK', isError: false, bytes: 5 }],
    ['-NOAUTH no\r\n', { text: 'NOAUTH no', isError: true, bytes: 12 }],
    ['$5\r\nhello\r\n+x', { text: 'hello', isError: false, bytes: 11 }],
    ['$-1\r\n', { text: '', isError: false, bytes: 5 }],
    ['$5\r\nhel', null],
    ['$5', null],
    ['*1\r\n', { text: 'something that INFO does not answer', isError: true, bytes: 4 }],
  ])('answer %j', (text, answer) => {
    expect(readAnswer(Buffer.from(text))).toEqual(answer);
  });
});

test('PostgreSQL: shares, rates, and no ratio of a few blocks', () => {
  const row = {
    active: '8',
    connections: '40',
    max_connections: 100,
    commits: '1000',
    rollbacks: '0',
    hits: '100',
    reads: '1',
  };
  const later = { ...row, commits: '1045', rollbacks: '5', hits: '2000', reads: '101', deadlocks: '1' };
  const { metrics } = readPostgres(later, { earlier: row, first: row, seconds: 5 });
  expect(metrics).toMatchObject({
    active_pct: 8,
    connections_pct: 40,
    xact_per_sec: 10,
    rollback_pct: 10,
    cache_hit_pct: 95,
  });
  expect(unknown('postgres', metrics)).toEqual([]);
  expect(readPostgres(row, { earlier: row, first: row, seconds: 5 }).metrics).not.toHaveProperty('cache_hit_pct');
});

describe('three counts of the audience', () => {
  const see = (count: ViewerCount, collector: string, metrics: Record<string, number>, atMs = 0) =>
    count.add({ atMs, atWallMs: atMs, collector, source: 's', metrics });
  const compare = (count: ViewerCount) => count.collector().scrape(AbortSignal.timeout(1000));

  test('their differences, of the larger', async () => {
    const count = new ViewerCount(5000);
    see(count, 'lab', { viewers: 100, room_members: 50 });
    see(count, 'srs', { viewers: 95 });
    see(count, 'media', { viewers: 1 });
    see(count, 'websocket', { viewers: 50, streaming_connections: 40 });
    expect((await compare(count))[0]?.metrics).toEqual({
      viewers_lab: 100,
      viewers_media: 95,
      viewers_delta_pct: 5,
      room_lab: 50,
      room_realtime: 50,
      room_delta_pct: 0,
      sockets_delta_pct: 20,
      delta_pct: 20,
    });
  });

  test('where a second count never was there is nothing to compare, and no gap', async () => {
    const count = new ViewerCount(5000);
    see(count, 'lab', { viewers: 100 });
    expect(await compare(count)).toEqual([{ metrics: { viewers_lab: 100 } }]);
    see(count, 'srs', { viewers: 90 }, 20_000); // the other figure is of another moment
    expect(await compare(count)).toEqual([{ metrics: { viewers_media: 90 } }]);
  });

  test('a second count that goes away is a gap', async () => {
    const count = new ViewerCount(5000);
    see(count, 'lab', { viewers: 100 });
    see(count, 'srs', { viewers: 100 });
    expect(await compare(count)).toHaveLength(1);
    see(count, 'lab', { viewers: 100 }, 20_000);
    expect(() => compare(count)).toThrow(/fewer than two/);
  });

  test.each([
    [0, 0, 0],
    [0, 4, 100],
    [10, 9, 10],
    [undefined, 9, undefined],
  ])('%s and %s are %s %% apart', (one, other, delta) => expect(deltaPercent(one, other)).toBe(delta));
});
