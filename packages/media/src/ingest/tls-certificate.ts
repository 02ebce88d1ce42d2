import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { StartError } from '@showfloor/service-kit';

/** PEM files: the certificate with its chain, and its private key (never logged). */
export type CertificateFiles = Readonly<{ certFile: string; keyFile: string }>;

/** `failed`: what is in the files cannot be used; the certificate before stays in use. */
export type CertificateNews = Readonly<{ outcome: 'reloaded' | 'failed'; detail: string }>;

type Pem = Readonly<{ cert: string; key: string }>;
type Loaded = Readonly<{ pem: Pem; context: SecureContext; expiresAtMs: number }>;

/**
 * The certificate for RTMPS. The files are read again while it is watched, so that a renewal needs no restart. The content is
 * compared, not its date: certificate managers swap links.
 */
export class TlsCertificate {
  readonly #files: CertificateFiles;
  #loaded: Loaded;
  #lastSeen: Pem;
  #timer: NodeJS.Timeout | null = null;

  /** Throws StartError, with a sentence naming the file, when the pair cannot be used. */
  constructor(files: CertificateFiles) {
    this.#files = files;
    this.#loaded = load({ cert: readNow(files.certFile), key: readNow(files.keyFile) }, files);
    this.#lastSeen = this.#loaded.pem;
  }

  /** For connections that come now. */
  get context(): SecureContext {
    return this.#loaded.context;
  }

  /** Until when clients accept it. */
  get expiresAtMs(): number {
    return this.#loaded.expiresAtMs;
  }

  /** Looks at the files every `intervalMs`; `onNews` hears of each change once. `close` ends it. */
  watch(intervalMs: number, onNews: (news: CertificateNews) => void): void {
    this.close();
    this.#timer = setInterval(() => {
      void this.#look().then((news) => {
        if (news !== null) onNews(news);
      });
    }, intervalMs);
    this.#timer.unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Never rejects. A renewal writes two files: a pair that does not fit yet is looked at again next time. */
  async #look(): Promise<CertificateNews | null> {
    const { certFile, keyFile } = this.#files;
    const [cert, key] = await Promise.all([readLater(certFile), readLater(keyFile)]);
    if (cert === this.#lastSeen.cert && key === this.#lastSeen.key) return null;
    this.#lastSeen = { cert, key };
    try {
      this.#loaded = load({ cert, key }, this.#files);
      return { outcome: 'reloaded', detail: new Date(this.#loaded.expiresAtMs).toISOString() };
    } catch (error) {
      return { outcome: 'failed', detail: error instanceof Error ? error.message : 'unknown' };
    }
  }
}

function readNow(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** Empty when it cannot be read: a file that is being replaced is judged like a wrong one. */
function readLater(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

function load(pem: Pem, { certFile, keyFile }: CertificateFiles): Loaded {
  const certificate = attempt(`${certFile} holds no certificate in PEM form`, () => new X509Certificate(pem.cert));
  const key = attempt(`${keyFile} holds no private key in PEM form without a passphrase`, () =>
    createPrivateKey(pem.key),
  );
  if (!certificate.checkPrivateKey(key)) throw new StartError(`${keyFile} is not the key of ${certFile}`);
  const expiresAtMs = Date.parse(certificate.validTo);
  if (expiresAtMs < Date.now()) throw new StartError(`${certFile} expired on ${certificate.validTo}`);
  const context = attempt(`${certFile} and ${keyFile} cannot be used for TLS`, () =>
    createSecureContext({ cert: pem.cert, key: pem.key, minVersion: 'TLSv1.2' }),
  );
  return { pem, context, expiresAtMs };
}

/** OpenSSL's own message says nothing to an operator, and may quote what it read. */
function attempt<T>(problem: string, action: () => T): T {
  try {
    return action();
  } catch {
    throw new StartError(problem);
  }
}
