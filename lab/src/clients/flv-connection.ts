/**
 * One HTTP-FLV connection and what can go wrong with it: refused, not FLV, accepted but silent, silent later, closed.
 * It says what happened; the viewer decides what to do.
 */
import { FormatError } from '@showfloor/media-formats';
import { monotonicMs } from '../clock.ts';
import { errorCode, openEndlessGet } from './endless-get.ts';
import { createLightReader, createSampledReader, type FlvMedia } from './flv-media-reader.ts';

/** Events of the connection. Times are monotonic. */
export type FlvConnectionHandlers = {
  readonly onConnected: (atMs: number) => void;
  /** The head of a 200 answer. */
  readonly onAccepted: (atMs: number) => void;
  readonly onBytes: (count: number) => void;
  readonly onMedia: (media: FlvMedia, atMs: number) => void;
  /** No media tag for longer than a keyframe interval or 2 s; called once per silence, when it is noticed. */
  readonly onSilence: (sinceMs: number, wasEverMedia: boolean) => void;
  /** Once. `reason`: `http_404`, `ECONNREFUSED`, `flv.signature`, `silent`, `connection_closed` … */
  readonly onClosed: (reason: string, atMs: number) => void;
};

/** The open connection. `watch` checks for silence: call it a few times per second. */
export type FlvConnection = { readonly watch: (nowMs: number) => void; readonly close: () => void };

/** A silence is one keyframe interval long, at least 2 s (no standard exists for HTTP-FLV). */
const SILENCE_MS_MIN = 2000;
/** A player gives up on a silent connection after this and opens another. */
export const SILENCE_GIVE_UP_MS = 5000;

/** Opens it. */
export function openFlvConnection(
  url: URL,
  options: { readonly isSampled: boolean; readonly headers: Readonly<Record<string, string>> },
  handlers: FlvConnectionHandlers,
): FlvConnection {
  let nowMs = monotonicMs();
  let lastMediaAtMs = nowMs;
  let lastKeyframeDtsMs: number | null = null;
  let keyframeIntervalMs = 0;
  let wasEverMedia = false;
  let isSilent = false;
  let isOver = false;

  const onMedia = (media: FlvMedia): void => {
    if (media.kind === 'frame') {
      lastMediaAtMs = nowMs;
      wasEverMedia = true;
      isSilent = false;
      if (media.unit.isKeyframe) {
        if (lastKeyframeDtsMs !== null) keyframeIntervalMs = media.unit.dtsMs - lastKeyframeDtsMs;
        lastKeyframeDtsMs = media.unit.dtsMs;
      }
    }
    handlers.onMedia(media, nowMs);
  };
  const reader = options.isSampled ? createSampledReader(onMedia) : createLightReader(onMedia);
  const close = (reason: string, atMs: number): void => {
    if (isOver) return;
    isOver = true;
    get.close();
    handlers.onClosed(reason, atMs);
  };
  const get = openEndlessGet(url, options.headers, {
    onConnected: handlers.onConnected,
    onHead: ({ status }, atMs) => {
      lastMediaAtMs = atMs;
      if (status === 200) handlers.onAccepted(atMs);
      else close(`http_${status}`, atMs);
    },
    onBody: (bytes, atMs) => {
      if (isOver) return;
      nowMs = atMs;
      handlers.onBytes(bytes.length);
      try {
        reader.push(bytes);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        close(errorCode(error), atMs);
      }
    },
    onClosed: close,
  });
  return {
    watch: (atMs) => {
      if (isOver) return;
      const silentMs = atMs - lastMediaAtMs;
      if (!isSilent && silentMs > Math.max(SILENCE_MS_MIN, keyframeIntervalMs)) {
        isSilent = true;
        handlers.onSilence(lastMediaAtMs, wasEverMedia);
      }
      if (silentMs > Math.max(SILENCE_GIVE_UP_MS, 2 * keyframeIntervalMs)) close('silent', atMs);
    },
    close: () => {
      isOver = true;
      get.close();
    },
  };
}
