/** How an ingest's address and a stream key become the URL of a push, and what of the key may be shown. */

const HINT_CHARS = 4;
/** From a shorter key, four characters would be too much. */
const KEY_CHARS_FOR_HINT = 12;

/**
 * What is wrong with the address, as a sentence; null when nothing is. Whether it may be connected to is the outbound guard's
 * business: this is about its parts.
 */
export function problemOfUrl(url: string): string | null {
  if (!/^rtmps?:\/\//i.test(url)) return 'Only rtmp:// and rtmps:// addresses are possible.';
  if (/[?#]/.test(url)) return 'The address must end before any “?”: what follows belongs to the stream key.';
  if (!/^rtmps?:\/\/[^/]+\/+[^/]/i.test(url)) return 'The address must name the application: rtmp://host/app.';
  return null;
}

/** The same for the key. */
export function problemOfKey(key: string): string | null {
  if (/[\s\\#\p{Cc}]/u.test(key)) return 'The stream key must not hold spaces, backslashes or “#”.';
  const name = key.split('?')[0] ?? '';
  if (name === '' || name.includes('/')) {
    return 'The stream key is what follows the last “/” of the full address: put everything before it into the address.';
  }
  return null;
}

/** The whole secret: address, slash, key. */
export function pushUrl(url: string, key: string): string {
  return `${url.replace(/\/+$/, '')}/${key}`;
}

/** The end of a key by which its owner knows it; empty for a short one. */
export function keyHint(key: string): string {
  return key.length >= KEY_CHARS_FOR_HINT ? key.slice(-HINT_CHARS) : '';
}

export function maskedKey(hint: string): string {
  return `••••${hint}`;
}
