import type { Capabilities } from './playback-policy.ts';

/** H.264 Baseline and AAC: whoever cannot play these by Media Source Extensions cannot play a show by them. */
const COMMON_TYPE = 'video/mp4; codecs="avc1.42E01E,mp4a.40.2"';
const HLS_TYPE = 'application/vnd.apple.mpegurl';

/** Asks this browser what it can do. `ManagedMediaSource` is what newer iPhones have instead of `MediaSource`. */
export function playbackCapabilities(): Capabilities {
  const { MediaSource: standard, ManagedMediaSource: managed } = window as Partial<typeof window> & {
    readonly ManagedMediaSource?: typeof MediaSource;
  };
  return {
    mediaSource: (standard ?? managed)?.isTypeSupported(COMMON_TYPE) ?? false,
    nativeHls: document.createElement('video').canPlayType(HLS_TYPE) !== '',
  };
}
