import { verifyWebhook } from '@showfloor/service-kit';
import type { App } from './app.ts';
import { ProblemError } from './problems.ts';

/** Routes that only our own processes may call: the body is signed with the installation's secret. */
export async function registerSignedRoutes(
  app: App,
  webhookSecret: string,
  register: (signed: App) => void,
): Promise<void> {
  await app.register(async (signed: App) => {
    signed.decorateRequest('rawBody', '');
    signed.removeContentTypeParser('application/json');
    signed.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      request.rawBody = body.toString();
      try {
        done(null, JSON.parse(request.rawBody));
      } catch {
        done(new ProblemError('bad_request', { detail: 'The body is not JSON.' }));
      }
    });
    signed.addHook('preValidation', async (request) => {
      if (!verifyWebhook(webhookSecret, request.headers, Date.now(), request.rawBody)) {
        throw new ProblemError('unauthenticated', { detail: 'The signature does not fit the request.' });
      }
    });
    register(signed);
  });
}
