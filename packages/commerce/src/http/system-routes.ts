import { ClientConfig } from '@showfloor/protocol';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { TEST_CARD } from '../payments/test-provider.ts';
import type { App } from './app.ts';
import { ProblemError } from './problems.ts';
import type { PublicUrls } from './public-urls.ts';
import { PROBLEMS, ref } from './schemas.ts';

const tags = ['system'];
const Health = Type.Object({ status: Type.String() });
const config = { rateLimit: false } as const;

/** Health, and where the planes are. */
export function registerSystemRoutes(
  app: App,
  deps: { readonly isReady: () => Promise<boolean>; readonly urlsFor: (request: FastifyRequest) => PublicUrls },
): void {
  app.get(
    '/health',
    { config, schema: { summary: 'The process runs', response: { 200: Health }, tags } },
    async () => ({ status: 'ok' }),
  );
  app.get(
    '/api/health/ready',
    { config, schema: { summary: 'The shop can serve', response: { 200: Health, ...PROBLEMS }, tags } },
    async () => {
      if (!(await deps.isReady())) throw new ProblemError('unavailable');
      return { status: 'ready' };
    },
  );
  app.get(
    '/api/client-config',
    { schema: { summary: 'Where the planes are', response: { 200: ref(ClientConfig), ...PROBLEMS }, tags } },
    async (request) => {
      const urls = deps.urlsFor(request);
      return {
        version: 1 as const,
        video: { baseUrl: urls.video },
        realtime: { baseUrl: urls.realtime, path: '/socket.io' },
        commerce: { baseUrl: urls.commerce },
        ingest: { rtmpUrl: urls.rtmp },
        payment: { provider: 'test' as const, testCard: TEST_CARD },
        serverNowMs: Date.now(),
      };
    },
  );
}
