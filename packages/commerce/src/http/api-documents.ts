import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { App } from './app.ts';

/** OpenAPI 3.1 at `/api/openapi.json`, readable at `/api/docs` without any outside network. Register before the routes. */
export async function registerApiDocuments(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Showfloor commerce',
        version: '1.0.0',
        description:
          'Shows, products, carts and orders. Errors are problem documents (RFC 9457) with a stable `reason`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'shows', description: 'What is on air and what comes' },
        { name: 'cart', description: 'Holding units' },
        { name: 'orders', description: 'Buying' },
        { name: 'accounts', description: 'Signing in' },
        { name: 'studio', description: 'For sellers' },
        { name: 'system', description: 'Health and addresses' },
        { name: 'internal', description: 'Between the planes; requests are signed' },
      ],
      components: {
        securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      },
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `schema${index}`,
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/api/docs',
    staticCSP: true,
    // No outside hosts, and plain HTTP stays plain HTTP on a machine of one's own.
    transformStaticCSP: (header) =>
      header.replaceAll(/ (https:|validator\.swagger\.io)/g, '').replace('upgrade-insecure-requests;', ''),
  });
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
