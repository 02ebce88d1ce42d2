import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadSecrets, StartError, signWebhook } from '@showfloor/service-kit';
import type { StartConfig } from './config.ts';
import { systemUrls } from './status-block.ts';

const TIMEOUT_MS = 5_000;

/** Asks the running shop for a new one-time sign-in link. Throws {@link StartError} when there is no shop to ask. */
export async function newSignInLink(config: StartConfig): Promise<string> {
  if (!existsSync(join(config.DATA_DIR, 'keys'))) {
    throw new StartError(
      `no shop was ever started in ${config.DATA_DIR}: run start first, or name its folder with --data-dir`,
    );
  }
  const { webhookSecret } = loadSecrets(config.DATA_DIR);
  const headers = signWebhook(webhookSecret, randomUUID(), Date.now(), '');
  const answer = await fetch(`http://127.0.0.1:${config.COMMERCE_ADMIN_PORT}/sign-in-link`, {
    method: 'POST',
    headers: { ...headers },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => null);
  if (answer === null) {
    throw new StartError(
      `no shop answers at COMMERCE_ADMIN_PORT ${config.COMMERCE_ADMIN_PORT}: is it running, with these ports?`,
    );
  }
  const body = (await answer.json()) as { token?: string; status?: string };
  if (body.token === undefined) throw new StartError(`the shop gave no link: ${body.status ?? answer.status}`);
  return `${systemUrls(config).shop}/signin?token=${body.token}`;
}
