/** `/metrics` of a run or of `monitor`, for a Prometheus that scrapes the lab. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AlertBoard } from '../alerts/alert-board.ts';
import type { SampleLine } from '../collectors/sample.ts';
import type { Progress } from '../engine/coordinator.ts';
import { PrometheusPage } from './prometheus-page.ts';

const CONNECTIONS_MAX = 32;
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A running endpoint. `close` ends it and every connection to it. */
export type PrometheusEndpoint = {
  readonly url: string;
  readonly addSample: (line: SampleLine) => void;
  readonly setProgress: (progress: Pick<Progress, 'total' | 'gauges'>) => void;
  readonly close: () => Promise<void>;
};

/** The port is taken, or not ours to take. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
}

/** Port 0: any. Throws {@link EndpointError}. */
export async function startPrometheusEndpoint(options: {
  readonly host?: string;
  readonly port: number;
}): Promise<PrometheusEndpoint> {
  const page = new PrometheusPage();
  const alerts = new AlertBoard();
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('the metrics of the lab are at /metrics\n');
      return;
    }
    response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(page.text(Date.now(), alerts.firing));
  });
  server.maxConnections = CONNECTIONS_MAX;
  const host = options.host ?? '127.0.0.1';
  await listen(server, host, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}/metrics`,
    addSample: (line) => {
      alerts.add(line);
      page.addSample(line);
    },
    setProgress: ({ total, gauges }) => page.setRun(total, gauges),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const ready = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EADDRINUSE' ? 'something else listens there' : error.message;
    ready.reject(new EndpointError(`the metrics cannot be shown on ${host}:${port}: ${reason}; name another port`));
  });
  server.listen(port, host, ready.resolve);
  await ready.promise;
}
