import { playbackCapabilities } from './playback-capabilities.ts';
import type { EngineMaker, EngineOptions, PlaybackEngine } from './playback-engine.ts';
import { HLS_STALL, NATIVE_DRIFT_MAX_S, NATIVE_TARGET_S } from './player-settings.ts';

/** Safari's: the wall clock of the element's time zero, from PROGRAM-DATE-TIME. Invalid while unknown. */
type DatedVideo = HTMLVideoElement & { readonly getStartDate?: () => Date };

/** The browser's own HLS: what iPhones without Media Source Extensions have. */
export const nativeEngine: EngineMaker = { isSupported: () => playbackCapabilities().nativeHls, start: startNative };

function startNative({ video, url, onAttached, onFailed }: EngineOptions): PlaybackEngine {
  const listeners = new AbortController();
  let hasPlayed = false;
  const onPlaying = (): void => {
    hasPlayed = true;
  };
  const onError = (): void => {
    // Refused before the first picture: the format. The lists were there a moment ago.
    const isFormat = !hasPlayed && video.error !== null && video.error.code >= MediaError.MEDIA_ERR_DECODE;
    onFailed(isFormat ? 'unsupported' : 'lost');
  };
  video.addEventListener('playing', onPlaying, { signal: listeners.signal });
  video.addEventListener('ended', () => onFailed('lost'), { signal: listeners.signal });
  video.addEventListener('error', onError, { signal: listeners.signal });
  video.src = url;
  onAttached();
  return {
    mode: 'native',
    stallLimits: HLS_STALL,
    wallMs: () => wallMs(video),
    edgeMs: () => seekableEndS(video) * 1_000,
    listText: () => null,
    keepToEdge: () => {
      const edgeS = seekableEndS(video);
      if (edgeS - video.currentTime > NATIVE_DRIFT_MAX_S) video.currentTime = edgeS - NATIVE_TARGET_S;
    },
    destroy: () => {
      listeners.abort();
      video.removeAttribute('src');
      video.load();
    },
  };
}

function wallMs(video: DatedVideo): number | null {
  const startMs = video.getStartDate?.().getTime() ?? Number.NaN;
  return Number.isFinite(startMs) ? startMs + video.currentTime * 1_000 : null;
}

function seekableEndS({ seekable }: HTMLVideoElement): number {
  return seekable.length === 0 ? 0 : seekable.end(seekable.length - 1);
}
