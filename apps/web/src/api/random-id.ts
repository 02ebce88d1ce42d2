/**
 * A fresh 128-bit id in hex, for client ids and idempotency keys. `crypto.randomUUID` exists in secure contexts only, and a
 * shop tried out over plain HTTP in a home network is none.
 */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
