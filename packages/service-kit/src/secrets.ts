import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Secrets of one installation, as files under `DATA_DIR/keys` (0700/0600). Commerce signs tokens with the private key;
 * realtime and media only ever read the public one. Webhook secrets are Standard Webhooks' (`whsec_` + base64).
 */
export type Secrets = {
  readonly tokenPrivateKeyPem: string;
  readonly tokenPublicKeyPem: string;
  /** Signs and verifies everything between our processes (hooks and live events). */
  readonly webhookSecret: string;
  /** Realtime's own: signs resume tokens. */
  readonly resumeSecret: string;
  /** Commerce's and its worker's: seals what is stored and must be read again (see `createSealer`). Lost, those are lost. */
  readonly storageSecret: string;
};

const WEBHOOK_SECRET_BYTES = 32; // Standard Webhooks: 24 to 64

const STORAGE_SECRET_BYTES = 32;

/**
 * Reads the secrets below `dataDir`, creating those that are missing. Safe when several processes start at once: a file
 * appears whole or not at all, and the first one wins.
 */
export function loadSecrets(dataDir: string): Secrets {
  const folder = join(dataDir, 'keys');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const pair = ensure(join(folder, 'token-signing.json'), () => {
    const keys = generateKeyPairSync('ed25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    return JSON.stringify({ privateKey: keys.privateKey, publicKey: keys.publicKey });
  });
  const keys = JSON.parse(pair) as { privateKey: string; publicKey: string };
  const randomSecret = (): string => `whsec_${randomBytes(WEBHOOK_SECRET_BYTES).toString('base64')}`;
  return {
    tokenPrivateKeyPem: keys.privateKey,
    tokenPublicKeyPem: keys.publicKey,
    webhookSecret: ensure(join(folder, 'webhook-secret'), randomSecret),
    resumeSecret: ensure(join(folder, 'resume-secret'), randomSecret),
    storageSecret: ensure(join(folder, 'storage-secret'), () => randomBytes(STORAGE_SECRET_BYTES).toString('base64')),
  };
}

function ensure(path: string, make: () => string): string {
  if (!existsSync(path)) {
    const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
    writeFileSync(draft, make(), { mode: 0o600, flush: true });
    try {
      linkSync(draft, path); // fails when another process was first: theirs is used
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  }
  return readFileSync(path, 'utf8').trim();
}
