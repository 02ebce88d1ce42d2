import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { findTarget, listTargetKinds } from '../src/target/load-target.ts';
import { readStat } from '../targets/nginx-rtmp.ts';

type Page = string | { readonly status: number; readonly text: string };
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server of a few pages; everything else is 404. */
async function serve(pages: Readonly<Record<string, Page>>): Promise<URL> {
  const server = createServer((request, response) => {
    const page = pages[(request.url ?? '').split('?')[0] ?? ''] ?? { status: 404, text: 'no' };
    const { status, text } = typeof page === 'string' ? { status: 200, text: page } : page;
    response.writeHead(status).end(text);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
const LIST = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:2.0,\n1.ts\n';

test('adapters are asked in this order', async () => {
  expect(await listTargetKinds()).toEqual(['nginx-rtmp', 'node-media-server', 'showfloor', 'srs', 'url']);
});

describe('SRS, by answers in the form of its documentation', () => {
  const API = { '/api/v1/versions': fixture('srs-versions.json'), '/api/v1/streams/': fixture('srs-streams.json') };

  test('the stream that is published, by FLV and HLS, and what can be collected', async () => {
    const url = await serve({ ...API, '/live/livestream.m3u8': LIST });
    const { description } = await findTarget(url);
    expect(description).toMatchObject({
      kind: 'srs',
      planes: ['video'],
      subject: 'live/livestream',
      flvUrl: `${url.origin}/live/livestream.flv`,
      hls: { url: `${url.origin}/live/livestream.m3u8`, isLowLatency: false },
      version: 'SRS 5.0.213',
    });
    expect(description.sources).toContainEqual({ kind: 'srs', name: 'srs', where: url.origin });
  });

  test('without HLS there is FLV alone', async () => {
    expect((await findTarget(await serve(API))).description.hls).toBeNull();
  });

  test('nobody publishes: said so', async () => {
    const idle = { ...API, '/api/v1/streams/': '{"code":0,"server":"vid-1","streams":[]}' };
    await expect(findTarget(await serve(idle))).rejects.toThrow(/is SRS 5\.0\.213, but nobody publishes/);
  });
});

describe('nginx-rtmp, by its page of statistics', () => {
  const stat = (streams: string): string =>
    `<?xml version="1.0"?><rtmp><nginx_rtmp_version>1.1.4</nginx_rtmp_version><server><application><name>show</name><live>${streams}<nclients>1</nclients></live></application></server></rtmp>`;
  const ON_AIR = stat('<stream><name>old</name></stream><stream><name>a&amp;b</name><publishing/><active/></stream>');

  test('streams without a publisher are none', () => {
    expect(readStat(ON_AIR)).toEqual({ version: '1.1.4', streams: [{ app: 'show', name: 'a&b' }] });
    expect(readStat('<html>')).toBeNull();
  });

  test.each(['/hls/a&b.m3u8', '/show/a&b/index.m3u8'])('its playlist is found at %s', async (path) => {
    const url = await serve({ '/rtmp_stat': ON_AIR, [path]: LIST });
    expect((await findTarget(url)).description).toMatchObject({
      kind: 'nginx-rtmp',
      hls: { url: `${url.origin}${path}` },
    });
  });

  test('no playlist anywhere, and nobody on air: what was tried and what to do', async () => {
    await expect(findTarget(await serve({ '/stat': ON_AIR }))).rejects.toThrow(
      /no playlist at \/hls\/a&b\.m3u8.*--target/,
    );
    await expect(findTarget(await serve({ '/stat': stat('') }))).rejects.toThrow(
      /nobody publishes: \/stat lists no stream/,
    );
  });
});

test('node-media-server with nothing on air: which names were tried', async () => {
  const health = '{"success":true,"data":{"status":"ok","version":"4.4.3"},"message":"Server is healthy"}';
  const url = await serve({ '/api/v1/health': health });
  await expect(findTarget(url)).rejects.toThrow(/node-media-server 4\.4\.3.*\/live\/test\.flv.*--target/);
});

test('some other server: what it is not, and what to name', async () => {
  const url = await serve({ '/': 'hello' });
  await expect(findTarget(url)).rejects.toThrow(/none of: nginx-rtmp, .*url\. Name the full URL of a stream/);
  await expect(findTarget(new URL('/x.m3u8', url))).rejects.toThrow(/answers 404: is the stream on air/);
});
