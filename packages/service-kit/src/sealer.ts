import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Keeps secrets that must be read again (a stream key of another platform) unreadable where they are stored. */
export type Sealer = Readonly<{
  /** Encrypts and authenticates. `context` says whose secret it is: it opens nowhere else. */
  seal: (text: string, context: string) => Buffer;
  /** Null when it was sealed with another key or for another context, or was changed. */
  open: (sealed: Buffer, context: string) => string | null;
  /** Equal for equal texts, and no help to who guesses at them without the secret: to tell a repetition by. */
  fingerprint: (text: string) => string;
}>;

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES;

/** AES-256-GCM (NIST SP 800-38D): version, random nonce, ciphertext, tag. `secret` is `storageSecret` of `loadSecrets`. */
export function createSealer(secret: string): Sealer {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'showfloor sealed text 1', 32));
  const fingerprintKey = Buffer.from(hkdfSync('sha256', secret, '', 'showfloor fingerprint 1', 32));
  return {
    fingerprint: (text) => createHmac('sha256', fingerprintKey).update(text).digest('base64url'),
    seal: (text, context) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), nonce, body, cipher.getAuthTag()]);
    },
    open: (sealed, context) => {
      if (sealed.length < HEAD_BYTES + TAG_BYTES || sealed[0] !== VERSION) return null;
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, HEAD_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES, -TAG_BYTES)), decipher.final()]).toString();
      } catch {
        return null; // the tag does not fit
      }
    },
  };
}
