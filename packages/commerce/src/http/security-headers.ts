import type { IncomingMessage } from 'node:http';
import helmet from '@fastify/helmet';
import type { App } from './app.ts';
import { type PublicUrlOptions, publicUrls } from './public-urls.ts';

/**
 * Strict headers for everything, with what the watch page needs: media from blobs (MSE), workers from blobs (the
 * demuxers), and connections to the video and realtime planes. Mantine writes style attributes and elements, hence inline
 * styles (never scripts).
 */
export async function registerSecurityHeaders(app: App, urls: PublicUrlOptions): Promise<void> {
  const isHttps = urls.origin.startsWith('https://');
  const planes = (request: IncomingMessage): string => {
    const { video, realtime } = publicUrls(urls, isHttps ? 'https' : 'http', request.headers.host);
    return `${video} ${realtime} ${realtime.replace(/^http/, 'ws')}`;
  };
  app.addHook('onRequest', async (request, reply) => {
    // Answers are someone's, or of this moment; a route that knows better says so.
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
  });
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        objectSrc: ["'none'"],
        frameAncestors: ["'none'"],
        formAction: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:', 'https:'],
        fontSrc: ["'self'", 'data:'],
        mediaSrc: ["'self'", 'blob:', (request) => planes(request as IncomingMessage)],
        workerSrc: ["'self'", 'blob:'],
        connectSrc: ["'self'", (request) => planes(request as IncomingMessage)],
      },
    },
    crossOriginEmbedderPolicy: false,
    strictTransportSecurity: isHttps ? { maxAge: 31_536_000 } : false,
    referrerPolicy: { policy: 'strict-origin-when-cross-origin' },
  });
}
