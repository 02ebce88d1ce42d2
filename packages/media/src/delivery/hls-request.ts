/**
 * What an HLS request asks for, read from its URL. Pure.
 * Spec: draft-pantos-hls-rfc8216bis-20, sections 6.2.5.2 (blocking playlist reload) and 6.2.6 (preload hints).
 */
import type { HlsWindow } from '../hls/hls-packager.ts';

/** The point of a stream that a playlist must contain: a whole segment, or (`part` given) one of its parts. */
export type ReloadPoint = Readonly<{ msn: number; part: number | null }>;

/** `multivariant` /live/{id}.m3u8 · `playlist` /live/{id}/index.m3u8 · `object` media in /live/{id}/. */
export type HlsTarget =
  | Readonly<{ kind: 'multivariant' | 'playlist'; playbackId: string }>
  | Readonly<{ kind: 'object'; playbackId: string; name: string }>;

/** `/live/live/` is where SRS puts it: of a stream called `live` only the alias can be had. */
const PATH = /^\/live\/(?:live\/)?([a-z0-9-]{1,64})(?:\.m3u8|\/(index\.m3u8|[A-Za-z0-9._-]{1,96}\.(?:m4s|mp4)))$/;
const PLAYLIST_NAME = 'index.m3u8';
/** A media sequence number counts seconds since 2024, so it has ten digits for a long time. */
const NUMBER = /^\d{1,12}$/;

/** Null when the path is not one of HLS. */
export function readHlsPath(path: string): HlsTarget | null {
  const match = PATH.exec(path);
  if (match === null) return null;
  const [, playbackId = '', name] = match;
  if (name === undefined) return { kind: 'multivariant', playbackId };
  if (name === PLAYLIST_NAME) return { kind: 'playlist', playbackId };
  return { kind: 'object', playbackId, name };
}

/**
 * The delivery directives of a query (without `?`): null when it has none, `invalid` when they are not numbers or a part has no
 * segment. Others (`_HLS_skip` too: we do not offer delta updates) are ignored.
 */
export function readReloadPoint(query: string): ReloadPoint | null | 'invalid' {
  if (!query.includes('_HLS_')) return null; // the common case, without splitting
  let msn: number | null = null;
  let part: number | null = null;
  for (const pair of query.split('&')) {
    const isMsn = pair.startsWith('_HLS_msn=');
    if (!isMsn && !pair.startsWith('_HLS_part=')) continue;
    const text = pair.slice(pair.indexOf('=') + 1);
    if (!NUMBER.test(text)) return 'invalid';
    if (isMsn) msn = Number(text);
    else part = Number(text);
  }
  if (msn !== null) return { msn, part };
  return part === null ? null : 'invalid';
}

/**
 * `ready`: the playlist has it · `hold`: it will come · `too-far`: nobody who read our playlist asks for that. A part past the last
 * one of a segment means part 0 of the next, which the order of (msn, part) gives by itself.
 */
export function reloadState(point: ReloadPoint, window: HlsWindow): 'ready' | 'hold' | 'too-far' {
  const { lastMsn, lastPart, lastWholeMsn, partTargetMs, isEnded } = window;
  if (isEnded) return 'ready'; // directives are ignored once a playlist is complete
  const { msn, part } = point;
  if (part === null) {
    if (msn <= lastWholeMsn) return 'ready';
  } else if (msn < lastMsn || (msn === lastMsn && part <= lastPart)) {
    return 'ready';
  }
  if (msn > lastWholeMsn + 2) return 'too-far';
  if (part === null) return 'hold';
  const advancePartsMax = partTargetMs < 1_000 ? Math.ceil(3_000 / Math.max(1, partTargetMs)) : 3;
  const partsThere = msn === lastMsn ? lastPart : -1;
  return part > partsThere + advancePartsMax ? 'too-far' : 'hold';
}
