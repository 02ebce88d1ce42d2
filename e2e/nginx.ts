import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { waitFor } from './wait-for.ts';

/** True when Debian's nginx is installed; suites that need it are named as skipped otherwise (a failure in CI). */
export const hasNginx = spawnSync('nginx', ['-v']).status === 0;

/** nginx in front of the video plane: TLS and HTTP/2 for viewers, HTTP/1.1 to us. */
export type NginxProxy = {
  /** `https://127.0.0.1:{port}` */
  readonly url: string;
  /** The certificate it shows, in PEM, signed by itself. */
  readonly ca: string;
  readonly stop: () => Promise<void>;
};

/** Starts nginx on a free port with a fresh certificate. `stop` ends it and removes its folder. */
export async function startNginxProxy(upstream: string): Promise<NginxProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'sf-nginx-'));
  const [port = 0] = await freePorts(1);
  const certificate = makeCertificate(folder);
  mkdirSync(join(folder, 'temp'));
  const path = join(folder, 'nginx.conf');
  writeFileSync(path, configuration(folder, port, new URL(upstream).host));
  const child = spawn('nginx', ['-c', path, '-p', folder, '-e', join(folder, 'error.log')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await waitFor('nginx to listen', () => isListening(port), 10_000);
  return {
    url: `https://127.0.0.1:${port}`,
    ca: readFileSync(certificate, 'utf8'),
    stop: async () => {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function makeCertificate(folder: string): string {
  const certificate = join(folder, 'cert.pem');
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', join(folder, 'key.pem'), '-out', certificate];
  const result = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    ...files,
    ...subject,
  ]);
  if (result.status !== 0) throw new Error(`openssl: ${result.stderr.toString()}`);
  return certificate;
}

/** Everything inside the folder, nothing as a daemon, no user change: it runs as whoever runs the tests. */
function configuration(folder: string, port: number, upstream: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/temp/${name};`,
  );
  return `daemon off;
pid ${folder}/nginx.pid;
worker_processes 1;
events { worker_connections 512; }
http {
  access_log off;
  ${temp.join('\n  ')}
  upstream video { server ${upstream}; keepalive 16; }
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    location /live/ {
      proxy_pass http://video;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_buffering off;
      proxy_read_timeout 60s;
    }
  }
}
`;
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
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await gone;
}
