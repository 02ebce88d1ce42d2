import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { listen } from './listen.ts';

/** Says whether one dependency is usable; a rejected promise or `false` makes the process not ready. */
export type ReadinessCheck = () => Promise<boolean> | boolean;

export type AdminOptions = {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  /** Further routes of this process (the SRS-compatible API of media-server). Returns true when it has answered. */
  readonly handle?: (request: IncomingMessage, response: ServerResponse) => boolean;
};

const CHECK_TIMEOUT_MS = 2_000;

/**
 * The admin listener of a process, apart from its public port (bar S16): `/metrics` in Prometheus text,
 * `/health/live` (the loop turns) and `/health/ready` (200 or 503 with the state of each check).
 * The caller closes the returned server.
 */
export async function startAdminServer(options: AdminOptions): Promise<Server> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(error instanceof Error ? error.message : 'failed');
    });
  });
  await listen(server, { host: options.host, port: options.port });
  return server;
}

async function answer(options: AdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?')[0];
  switch (path) {
    case '/metrics': {
      const text = await options.registry.metrics();
      response.writeHead(200, { 'content-type': options.registry.contentType }).end(text);
      return;
    }
    case '/health':
    case '/health/live':
      sendJson(response, 200, { status: 'ok' });
      return;
    case '/health/ready': {
      const states = await readiness(options.checks);
      sendJson(response, states.ready ? 200 : 503, states);
      return;
    }
    default:
      if (options.handle?.(request, response) === true) return;
      sendJson(response, 404, { status: 'not found' });
  }
}

/** Runs all checks, each for at most 2 s. */
export async function readiness(
  checks: Readonly<Record<string, ReadinessCheck>>,
): Promise<{ ready: boolean; checks: Record<string, boolean> }> {
  const entries = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await passes(check)] as const),
  );
  return { ready: entries.every(([, ok]) => ok), checks: Object.fromEntries(entries) };
}

async function passes(check: ReadinessCheck): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([Promise.resolve(check()), timeout]);
  } catch {
    return false; // shown by name in /health/ready
  } finally {
    clearTimeout(timer);
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
