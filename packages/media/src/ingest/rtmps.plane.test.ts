import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { RTMP_S0S1S2_BYTES, startRtmpHandshake } from '@showfloor/media-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ffmpegTo } from '../../test/encoders.ts';
import { hasFfmpeg, metricOf, PlaneUnderTest, until } from '../../test/plane-under-test.ts';
import { TlsCertificate } from './tls-certificate.ts';

let folder: string;
const hasOpenssl = spawnSync('openssl', ['version']).status === 0 || process.env.CI === 'true';

beforeAll(() => {
  if (!hasOpenssl) return;
  folder = mkdtempSync(join(tmpdir(), 'rtmps-'));
  for (const name of ['first', 'second']) makeCertificate(name);
});
afterAll(() => {
  if (hasOpenssl) rmSync(folder, { recursive: true, force: true });
});

const words = (line: string): string[] => line.trim().split(/\s+/);
const path = (name: string): string => join(folder, name);
const files = (cert: string, key = cert) => ({ certFile: path(`${cert}.pem`), keyFile: path(`${key}.key`) });

function makeCertificate(name: string): void {
  const made = spawnSync(
    'openssl',
    words(`req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout ${path(`${name}.key`)}
      -out ${path(`${name}.pem`)} -subj /CN=${name}.test -addext subjectAltName=IP:127.0.0.1`),
  );
  expect([made.status, made.stderr.toString()]).toEqual([0, expect.anything()]);
}

async function secureFloor(options: { reloadIntervalMs?: number; handshakeTimeoutMs?: number } = {}) {
  const { handshakeTimeoutMs, ...rtmps } = options;
  for (const end of ['pem', 'key']) copyFileSync(path(`first.${end}`), path(`current.${end}`));
  const certificate = new TlsCertificate(files('current'));
  const floor = await PlaneUnderTest.start({
    rtmps: { port: 0, certificate, ...rtmps },
    ...(handshakeTimeoutMs === undefined ? {} : { rtmpLimits: { handshakeTimeoutMs } }),
  });
  return { floor, port: floor.plane.rtmpsPort ?? 0 };
}

/** The name in the certificate that a client is shown now. */
async function certificateName(port: number): Promise<string> {
  const socket: TLSSocket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

describe.skipIf(!hasOpenssl)('RTMPS', () => {
  test.skipIf(!hasFfmpeg())('ffmpeg publishes over TLS', async () => {
    const { floor, port } = await secureFloor();
    await using _floor = floor;
    const url = floor.rtmpUrl('show-tls').replace(/^rtmp:\/\/[^/]+/, `rtmps://127.0.0.1:${port}`);
    await using encoder = ffmpegTo(url);
    await until('the stream', () => floor.plane.hub.find('show-tls')?.state === 'live' || !encoder.isRunning);
    const watcher = floor.watch('show-tls');
    await until('pictures', () => watcher.pictures.length > 30);
    expect(encoder.output).toBe('');
    expect(floor.plane.hub.list()[0]?.stream.receivedBytes).toBeGreaterThan(10_000);
  });

  test('a renewed certificate is used without a restart; a broken one is not', async () => {
    const { floor, port } = await secureFloor({ reloadIntervalMs: 20 });
    await using _floor = floor;
    expect(await certificateName(port)).toBe('first.test');
    writeFileSync(path('current.pem'), 'half a certificate');
    await until('the complaint', async () => (await floor.metricsText()).includes('outcome="failed"'));
    expect(await certificateName(port)).toBe('first.test');
    for (const end of ['key', 'pem']) copyFileSync(path(`second.${end}`), path(`current.${end}`));
    await until('the new one', async () => (await certificateName(port)) === 'second.test');
    const text = await floor.metricsText();
    expect(metricOf(text, 'media_tls_certificate_expiry_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000);
  });

  test('the time limit of the handshake covers that of TLS, and bytes that are not TLS end the connection', async () => {
    const { floor, port } = await secureFloor({ handshakeTimeoutMs: 200 });
    await using _floor = floor;
    const silent = connect({ host: '127.0.0.1', port });
    silent.on('error', () => undefined); // reset
    silent.resume();
    const half = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    half.on('error', () => undefined); // reset
    await once(half, 'secureConnect');
    const plain = connect({ host: '127.0.0.1', port });
    plain.on('error', () => undefined); // reset
    plain.resume();
    plain.write(startRtmpHandshake(new Uint8Array(1528)));
    await Promise.all([once(silent, 'close'), once(half, 'close'), once(plain, 'close')]);
    await until('the counts', async () => {
      const text = await floor.metricsText();
      return text.includes('reason="tls_failed"') && /reason="handshake_timeout"[^}]*\} 2/.test(text);
    });
    await until('nothing left', () => floor.plane.hub.list().length === 0);
  });

  test('the listener beside it stays plain', async () => {
    const { floor } = await secureFloor();
    await using _floor = floor;
    const socket = connect({ host: '127.0.0.1', port: floor.plane.rtmpPort });
    socket.write(startRtmpHandshake(new Uint8Array(1528)));
    let received = 0;
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
    });
    await until('the answer', () => received === RTMP_S0S1S2_BYTES);
    socket.destroy();
  });
});

describe.skipIf(!hasOpenssl)('a certificate that cannot be used stops the start', () => {
  test.each([
    ['a file that is not there', () => files('nowhere'), /nowhere\.pem cannot be read \(ENOENT\)/],
    ['the key of another', () => files('first', 'second'), /second\.key is not the key of .*first\.pem/],
    ['no certificate', () => ({ ...files('first'), certFile: path('first.key') }), /first\.key holds no certificate/],
    ['no key', () => ({ ...files('first'), keyFile: path('first.pem') }), /first\.pem holds no private key/],
  ])('%s', (_name, pair, message) => {
    expect(() => new TlsCertificate(pair())).toThrow(message);
  });

  test('one that has expired', () => {
    const request = words(`req -new -key ${path('first.key')} -out ${path('old.csr')} -subj /CN=old.test`);
    expect(spawnSync('openssl', request).status).toBe(0);
    writeFileSync(path('index.txt'), '');
    writeFileSync(path('serial'), '01');
    writeFileSync(
      path('ca.cnf'),
      `[ca]\ndefault_ca=a\n[a]\ndatabase=${path('index.txt')}\nserial=${path('serial')}\nnew_certs_dir=${folder}
default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`,
    );
    const sign = spawnSync(
      'openssl',
      words(`ca -batch -config ${path('ca.cnf')} -selfsign -keyfile ${path('first.key')} -in ${path('old.csr')}
        -out ${path('old.pem')} -startdate 20200101000000Z -enddate 20200201000000Z -notext`),
    );
    expect([sign.status, sign.stderr.toString()]).toEqual([0, expect.anything()]);
    expect(() => new TlsCertificate(files('old', 'first'))).toThrow(/old\.pem expired on Feb {2}1/);
  });
});
