import { createHash, timingSafeEqual } from 'node:crypto';

/** What a publisher presented. `key` is a secret: it goes to the publish hook and nowhere else. */
export type PresentedKey = Readonly<{ playbackId: string; key: string }>;

const PLAYBACK_ID = /^[a-z0-9][a-z0-9-]{2,31}$/;
const KEY_CHARS_MAX = 256;

/** True for the public names of shows. */
export function isPlaybackId(text: string): boolean {
  return PLAYBACK_ID.test(text);
}

/**
 * Reads `{playbackId}?key={secret}`. Encoders put the query where they like: in the stream name (OBS, ffmpeg's single URL),
 * the app or tcUrl. Returns null for a malformed name; a missing key is an empty string.
 */
export function readPresentedKey(from: { app: string; tcUrl: string; streamName: string }): PresentedKey | null {
  const [name = '', ...rest] = from.streamName.split('?');
  if (!isPlaybackId(name)) return null;
  const queries = [rest.join('?'), queryOf(from.app), queryOf(from.tcUrl)];
  for (const query of queries) {
    const key = new URLSearchParams(query).get('key');
    if (key !== null) return key.length > KEY_CHARS_MAX ? null : { playbackId: name, key };
  }
  return { playbackId: name, key: '' };
}

/** The app without its query and trailing slash. */
export function appName(app: string): string {
  return (app.split('?')[0] ?? '').replace(/\/+$/, '');
}

function queryOf(text: string): string {
  const at = text.indexOf('?');
  return at < 0 ? '' : text.slice(at + 1);
}

/** SHA-256 of a key: enough for 128 random bits, and all that is kept of it. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** Compares two hashes in constant time. */
export function sameHash(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
