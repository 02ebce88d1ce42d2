import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { App } from './app.ts';
import { ProblemError } from './problems.ts';

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Showfloor</title>
<body style="font: 16px/1.5 system-ui; max-width: 40em; margin: 4em auto; padding: 0 1em">
<h1>The web app is not built yet</h1>
<p>The shop's API is running: <a href="/api/docs">/api/docs</a>. Build the page with <code>npm run build -w apps/web</code>,
then reload.</p></body></html>`;

/**
 * The web app from `webDir`, and its index page for every address that the app itself routes. Files with a hash in their
 * name never change; everything else is checked again each time.
 */
export async function registerWebApp(app: App, webDir: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: webDir,
    index: ['index.html'],
    cacheControl: false,
    setHeaders: (response, path) => {
      const isHashed = path.includes(`${sep}assets${sep}`);
      response.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?')[0] ?? '/';
    const isPage = (request.method === 'GET' || request.method === 'HEAD') && !/^\/(api|internal|assets)\//.test(path);
    if (!isPage || /\.\w+$/.test(path)) throw new ProblemError('not_found');
    if (!existsSync(join(webDir, 'index.html'))) {
      return reply.code(503).type('text/html; charset=utf-8').header('cache-control', 'no-store').send(NOT_BUILT);
    }
    return reply.header('cache-control', 'no-cache').sendFile('index.html');
  });
}
