import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Database, DEMO_SELLER_ID, newSignInLink } from '@showfloor/commerce';
import { verifyWebhook } from '@showfloor/service-kit';

/**
 * `POST /sign-in-link` on the admin listener: a new one-time link for whoever runs the installation. Signed with the webhook
 * secret, which only they can read: being on the machine is not enough.
 */
export function signInLinkRoute(options: {
  readonly database: Database;
  readonly webhookSecret: string;
  readonly hasDemo: boolean;
}): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { database, webhookSecret, hasDemo } = options;
  return (request, response) => {
    if (request.method !== 'POST' || request.url !== '/sign-in-link') return false;
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    request.resume(); // the signature covers an empty body
    if (!verifyWebhook(webhookSecret, request.headers, Date.now(), '')) {
      send(401, { status: 'not signed by this installation' });
      return true;
    }
    newSignInLink(database.kysely, hasDemo ? DEMO_SELLER_ID : null).then(
      (token) => send(200, { token }),
      () => send(503, { status: 'the database does not answer' }),
    );
    return true;
  };
}
