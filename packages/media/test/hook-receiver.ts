/** Stands for commerce in the tests of hooks and events: answers with what the test says. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger, createMetrics, verifyWebhook } from '@showfloor/service-kit';
import { createMediaMetrics } from '../src/media-metrics.ts';

/** The secret that signatures are checked against. */
export const SECRET: string = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** Metrics and a log to give to what is tested; `text` is what a scrape would see. */
export function hookKit() {
  const registry = createMetrics('test');
  return { metrics: createMediaMetrics(registry), log: createLogger('test', 'silent'), text: () => registry.metrics() };
}

/** Answers with a status and a body, or nothing. */
export class HookReceiver implements AsyncDisposable {
  readonly bodies: string[] = [];
  readonly paths: string[] = [];
  readonly signatures: boolean[] = [];
  answer: { status: number; body: string } | null = { status: 200, body: '{}' };
  readonly #server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => {
      body += bytes.toString();
    });
    request.on('end', () => {
      this.bodies.push(body);
      this.paths.push(request.url ?? '');
      this.signatures.push(verifyWebhook(SECRET, request.headers, Date.now(), body));
      if (this.answer !== null) response.writeHead(this.answer.status).end(this.answer.body);
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
