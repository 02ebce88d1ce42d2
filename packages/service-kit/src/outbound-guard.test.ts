import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { addressRange, blockList } from './address-ranges.ts';
import { OUTBOUND_VARIABLES, OutboundGuard, type OutboundGuardOptions } from './outbound-guard.ts';
import { readOutboundUrl } from './outbound-url.ts';

const PUBLIC = '93.184.216.34';
const PUBLIC_V6 = '2606:2800:220:1:248:1893:25c8:1946';

/** Names that an attacker owns, and what they say. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'live.example': [PUBLIC],
  'xn--bcher-kva.example': [PUBLIC],
  'both.example': [PUBLIC_V6, PUBLIC],
  'ours.example': ['198.18.0.9'],
  'loop.example': ['127.0.0.1'],
  'one-of-two.example': [PUBLIC, '10.0.0.7'],
  'v6-of-two.example': [PUBLIC, 'fe80::1'],
  'mapped.example': ['::ffff:169.254.169.254'],
  'metadata.google.internal': ['169.254.169.254'],
  'localtest.example': ['::1'],
  'empty.example': [],
  'cname.example': ['not-an-address'],
  'many.example': Array.from({ length: 33 }, () => PUBLIC),
  localhost: ['127.0.0.1', '::1'],
};

function guardOf(options: OutboundGuardOptions = {}): OutboundGuard {
  return new OutboundGuard({
    ingestPorts: [1935],
    ingestHosts: ['shop.example'],
    ownAddresses: () => ['192.0.2.77', '203.0.113.80', '::ffff:185.12.64.2'],
    resolve: (hostname) => {
      const found = NAMES[hostname];
      return found === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(found);
    },
    ...options,
  });
}

const REFUSED: readonly (readonly [url: string, reason: string])[] = [
  // scheme
  ['http://live.example/app/key', 'scheme'],
  ['https://live.example/app/key', 'scheme'],
  ['file:///etc/passwd', 'scheme'],
  ['gopher://live.example:1935/x', 'scheme'],
  ['rtmpt://live.example/app/key', 'scheme'],
  ['ftp://live.example:1935/x', 'scheme'],
  ['data:text/plain,x', 'scheme'],
  ['//live.example/app/key', 'scheme'],
  ['', 'scheme'],
  // port
  ['rtmp://live.example:22/app/key', 'port'],
  ['rtmp://live.example:5432/app/key', 'port'],
  ['rtmp://live.example:6379/app/key', 'port'],
  ['rtmp://live.example:25/app/key', 'port'],
  ['rtmps://live.example:3306/app/key', 'port'],
  ['rtmp://live.example:0/app/key', 'port'],
  ['rtmp://live.example:99999/app/key', 'port'],
  // credentials
  ['rtmp://user:secret@live.example/app/key', 'credentials'],
  ['rtmp://live.example@127.0.0.1/app/key', 'credentials'],
  ['rtmp://@127.0.0.1/app/key', 'credentials'],
  // one parser's host is another's path
  ['rtmp://live.example\\@127.0.0.1/app', 'malformed'],
  ['rtmp:\\\\127.0.0.1/app', 'malformed'],
  ['rtmp://live.example /app', 'malformed'],
  ['rtmp://live.example\t/app', 'malformed'],
  ['rtmp://live.example/app\r\nHost: x', 'malformed'],
  ['rtmp://127.0.0.1%00.live.example/app', 'malformed'],
  ['rtmp://%31%32%37.0.0.1/app', 'malformed'],
  ['rtmp://[::1]@live.example/', 'credentials'],
  ['rtmp://[fe80::1%25eth0]/app', 'malformed'],
  ['rtmp://[::1]extra/app', 'malformed'],
  ['rtmp://[127.0.0.1]/app', 'malformed'],
  ['rtmp://::1/app', 'malformed'],
  ['rtmp:///app', 'malformed'],
  ['rtmp://live.example:/app', 'malformed'],
  ['rtmp://1.2.3.4.5/app', 'malformed'],
  [`rtmp://live.example/${'x'.repeat(3_000)}`, 'malformed'],
  // one address, many spellings
  ['rtmp://127.0.0.1:443/app', 'address'],
  ['rtmp://127.1/app', 'malformed'],
  ['rtmp://127.0.1/app', 'malformed'],
  ['rtmp://2130706433/app', 'malformed'],
  ['rtmp://0x7f000001/app', 'malformed'],
  ['rtmp://0x7f.0.0.1/app', 'malformed'],
  ['rtmp://0177.0.0.1/app', 'malformed'],
  ['rtmp://017700000001/app', 'malformed'],
  ['rtmp://127.0.0.01/app', 'malformed'],
  ['rtmp://127.0.0.1./app', 'malformed'],
  ['rtmp://①②⑦.⓪.⓪.①/app', 'malformed'],
  ['rtmp://１２７.0.0.1/app', 'malformed'],
  ['rtmp://127。0。0。1/app', 'malformed'],
  ['rtmp://0/app', 'malformed'],
  // ranges
  ['rtmp://0.0.0.0:80/app', 'address'],
  ['rtmp://127.255.255.254:80/app', 'address'],
  ['rtmp://10.0.0.1/app', 'address'],
  ['rtmp://172.16.0.1/app', 'address'],
  ['rtmp://172.31.255.255/app', 'address'],
  ['rtmp://192.168.1.1/app', 'address'],
  ['rtmp://169.254.169.254/app', 'address'],
  ['rtmp://169.254.0.1/app', 'address'],
  ['rtmp://100.64.0.1/app', 'address'],
  ['rtmp://100.100.100.200/app', 'address'],
  ['rtmp://168.63.129.16/app', 'address'],
  ['rtmp://192.0.0.192/app', 'address'],
  ['rtmp://198.18.0.1/app', 'address'],
  ['rtmp://203.0.113.1/app', 'address'],
  ['rtmp://224.0.0.1/app', 'address'],
  ['rtmp://239.255.255.250/app', 'address'],
  ['rtmp://240.0.0.1/app', 'address'],
  ['rtmp://255.255.255.255/app', 'address'],
  ['rtmp://[::1]:443/app', 'address'],
  ['rtmp://[::]:443/app', 'address'],
  ['rtmp://[0:0:0:0:0:0:0:1]:443/app', 'address'],
  ['rtmp://[::ffff:127.0.0.1]:443/app', 'address'],
  ['rtmp://[::ffff:7f00:1]:443/app', 'address'],
  ['rtmp://[::ffff:a9fe:a9fe]/app', 'address'],
  ['rtmp://[::127.0.0.1]/app', 'address'],
  ['rtmp://[::ffff:0:10.0.0.1]/app', 'address'],
  ['rtmp://[64:ff9b::7f00:1]:443/app', 'address'],
  ['rtmp://[64:ff9b::10.0.0.1]/app', 'address'],
  ['rtmp://[64:ff9b:1::10.0.0.1]/app', 'address'],
  ['rtmp://[2002:7f00:1::]/app', 'address'],
  ['rtmp://[2002:c0a8:101::1]/app', 'address'],
  ['rtmp://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/app', 'address'],
  ['rtmp://[2001:db8::1]/app', 'address'],
  ['rtmp://[fe80::1]/app', 'address'],
  ['rtmp://[fc00::1]/app', 'address'],
  ['rtmp://[fd00:ec2::254]/app', 'address'],
  ['rtmp://[fec0::1]/app', 'address'],
  ['rtmp://[ff02::1]/app', 'address'],
  ['rtmp://[5f00::1]/app', 'address'],
  // names
  ['rtmp://localhost:443/app', 'address'],
  ['rtmp://LOCALHOST.:443/app', 'address'],
  ['rtmps://loop.example/app', 'address'],
  ['rtmps://LOOP.example./app', 'address'],
  ['rtmps://one-of-two.example/app', 'address'],
  ['rtmps://v6-of-two.example/app', 'address'],
  ['rtmps://mapped.example/app', 'address'],
  ['rtmps://metadata.google.internal/app', 'address'],
  ['rtmps://localtest.example/app', 'address'],
  ['rtmps://ours.example/app', 'address'],
  ['rtmps://nobody.example/app', 'unresolvable'],
  ['rtmps://empty.example/app', 'unresolvable'],
  ['rtmps://cname.example/app', 'unresolvable'],
  ['rtmps://many.example/app', 'unresolvable'],
  // ourselves
  ['rtmp://203.0.113.80:443/app', 'address'],
  ['rtmp://185.12.64.2:443/app', 'address'],
  ['rtmp://185.12.64.2/live/demo?key=x', 'own_ingest'],
  ['rtmp://127.0.0.1/live/demo?key=x', 'own_ingest'],
  ['rtmp://[::1]:1935/live/demo?key=x', 'own_ingest'],
  ['rtmp://0.0.0.0/live/demo?key=x', 'own_ingest'],
  ['rtmp://localhost/live/demo?key=x', 'own_ingest'],
  ['rtmp://shop.example/live/demo?key=x', 'own_ingest'],
  ['rtmp://SHOP.example.:1935/live/demo?key=x', 'own_ingest'],
  ['rtmp://shop.example../live/demo?key=x', 'malformed'],
  ['rtmp://shop.example.。/live/demo?key=x', 'malformed'],
  ['rtmp://shop..example/live/demo?key=x', 'malformed'],
];

describe('S8 no URL of a user leads anywhere but to the public Internet', () => {
  test(`${REFUSED.length} URLs are refused, each for its reason`, async () => {
    expect(REFUSED.length).toBeGreaterThanOrEqual(60);
    const guard = guardOf();
    const found = await Promise.all(
      REFUSED.map(async ([url]) => {
        const verdict = await guard.vet(url, 'restream');
        return [url, verdict.ok ? 'ALLOWED' : verdict.reason] as const;
      }),
    );
    expect(found).toEqual(REFUSED);
  });

  test.each([
    ['rtmp://live.example/app/key', 1935, false, [PUBLIC]],
    ['RTMPS://Live.Example./app/key', 443, true, [PUBLIC]],
    ['rtmps://live.example:2936/app/key?token=a@b', 2936, true, [PUBLIC]],
    ['rtmp://bücher.example/app/key', 1935, false, [PUBLIC]],
    ['rtmps://both.example/app', 443, true, [PUBLIC, PUBLIC_V6]],
    [`rtmp://${PUBLIC}/app/key`, 1935, false, [PUBLIC]],
    [`rtmp://[${PUBLIC_V6}]:1935/app/key`, 1935, false, [PUBLIC_V6]],
    ['rtmp://[::ffff:93.184.216.34]/app', 1935, false, ['::ffff:5db8:d822']],
    ['rtmp://[64:ff9b::93.184.216.34]/app', 1935, false, ['64:ff9b::5db8:d822']],
  ])('%s is allowed and pinned', async (url, port, isTls, addresses) => {
    expect(await guardOf().vet(url, 'restream')).toMatchObject({ ok: true, target: { port, isTls, addresses } });
  });

  test('a name that changes its mind (rebinding) is asked once for each connection, and judged each time', async () => {
    const answers = [[PUBLIC], ['127.0.0.1'], [PUBLIC, '169.254.169.254']];
    let asked = 0;
    const guard = guardOf({ resolve: () => Promise.resolve(answers[asked++] ?? []) });
    const first = await guard.vet('rtmps://rebind.example/app', 'restream');
    expect([first.ok && first.target.addresses, asked]).toEqual([[PUBLIC], 1]);
    expect(await guard.vet('rtmps://rebind.example/app', 'restream')).toMatchObject({ reason: 'address' });
    expect(await guard.vet('rtmps://rebind.example/app', 'restream')).toMatchObject({ reason: 'address' });
  });

  test('a name server that never answers is not waited for', async () => {
    const guard = guardOf({ resolve: () => new Promise(() => undefined), lookupTimeoutMs: 50 });
    const waited = setTimeout(2_000, 'still waiting');
    expect(await Promise.race([guard.vet('rtmps://silent.example/app', 'restream'), waited])).toMatchObject({
      ok: false,
      reason: 'unresolvable',
    });
  });

  test('a refusal tells neither the URL nor what our network looks like', async () => {
    const details = new Set<string>();
    for (const url of ['rtmps://loop.example/app/s3cret', 'rtmps://nobody.example/app/s3cret']) {
      const verdict = await guardOf().vet(url, 'restream');
      if (!verdict.ok) details.add(verdict.detail);
    }
    expect(details.size).toBe(1);
    expect([...details].join()).not.toMatch(/s3cret|loop|127/);
  });

  test('what the configuration allows is reached, at ports that are possible, and never our own ingest', async () => {
    const guard = guardOf({ allowedNetworks: ['10.0.0.0/8', '127.0.0.1', 'fd00::/8'], allowedPorts: [19_350] });
    const outcome = async (url: string): Promise<string> => {
      const verdict = await guard.vet(url, 'restream');
      return verdict.ok ? verdict.target.addresses.join() : verdict.reason;
    };
    expect(await outcome('rtmp://10.0.0.7/app')).toBe('10.0.0.7');
    expect(await outcome('rtmps://one-of-two.example/app')).toBe(`${PUBLIC},10.0.0.7`);
    expect(await outcome('rtmp://[fd12::1]:19350/app')).toBe('fd12::1');
    expect(await outcome('rtmp://127.0.0.1:19350/app')).toBe('127.0.0.1');
    expect(await outcome('rtmp://[::ffff:127.0.0.1]:19350/app')).toBe('::ffff:7f00:1');
    expect(await outcome('rtmp://127.0.0.1:1935/live/demo')).toBe('own_ingest');
    expect(await outcome('rtmp://127.0.0.2:19350/app')).toBe('address');
    expect(await outcome('rtmp://10.0.0.7:5432/app')).toBe('port');
    expect(await outcome('rtmp://172.16.0.1/app')).toBe('address');
  });

  test('each use has its own schemes', () => {
    expect(readOutboundUrl('https://live.example/hook', 'web')).toMatchObject({ ok: true, url: { port: 443 } });
    expect(readOutboundUrl('http://live.example/hook', 'web')).toMatchObject({ reason: 'scheme' });
    expect(readOutboundUrl('rtmps://live.example/hook', 'web')).toMatchObject({ reason: 'scheme' });
    expect(readOutboundUrl('https://live.example:9200/hook', 'web')).toMatchObject({ reason: 'port' });
  });
});

test('what is no network and no port is refused by the configuration', () => {
  const networks = OUTBOUND_VARIABLES.OUTBOUND_ALLOWED_NETWORKS;
  expect(networks.parse('10.0.0.0/8, fd00::/8,192.168.1.7')).toEqual(['10.0.0.0/8', 'fd00::/8', '192.168.1.7']);
  for (const text of ['10.0.0.0/33', 'fd00::/129', '10.0.0/8', 'x', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/1.5']) {
    expect(() => networks.parse(text)).toThrow(text);
  }
  expect(OUTBOUND_VARIABLES.OUTBOUND_ALLOWED_PORTS.parse('1936, 8443')).toEqual([1936, 8443]);
  expect(() => OUTBOUND_VARIABLES.OUTBOUND_ALLOWED_PORTS.parse('0')).toThrow('"0"');
});

test('an address that is none belongs to nobody', () => {
  expect(addressRange('x')).toBe('reserved');
  expect(blockList([]).check('127.0.0.1')).toBe(false);
});
