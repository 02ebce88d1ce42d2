import { createHash, timingSafeEqual } from 'node:crypto';
import { verifyWebhook } from '@showfloor/service-kit';
import type { App } from './app.ts';
import { ProblemError } from './problems.ts';

export type SignedRouteSecrets = {
  /** The installation's secret, which our own processes sign with. */
  readonly webhook: string;
  /** What `?secret=` must be for a request that is not signed: SRS cannot sign. Empty: unsigned requests are refused. */
  readonly url: string;
};

/** Media servers that are not ours call these and nothing else. */
const URL_SECRET_PATHS = '/api/streaming/';

/**
 * Routes that only our own processes may call: the body is signed with the installation's secret. A hook may carry the secret of
 * the URL instead; `request.isSigned` is then false.
 */
export async function registerSignedRoutes(
  app: App,
  secrets: SignedRouteSecrets,
  register: (signed: App) => void,
): Promise<void> {
  await app.register(async (signed: App) => {
    signed.decorateRequest('rawBody', '');
    signed.decorateRequest('isSigned', true);
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
      if (verifyWebhook(secrets.webhook, request.headers, Date.now(), request.rawBody)) return;
      request.isSigned = false;
      if (request.url.startsWith(URL_SECRET_PATHS) && isSecret(request.query, secrets.url)) return;
      throw new ProblemError('unauthenticated', { detail: 'The signature does not fit the request.' });
    });
    register(signed);
  });
}

/** Compared as hashes: in constant time, whatever the lengths. */
function isSecret(query: unknown, secret: string): boolean {
  const { secret: presented } = query as { secret?: unknown };
  if (secret === '' || typeof presented !== 'string') return false;
  return timingSafeEqual(sha256(presented), sha256(secret));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
