import mpegts from 'mpegts.js';
import { failureOfStatus } from './http-failure.ts';
import { type PlayerSei, readIngestMark } from './ingest-mark.ts';
import { MediaClock } from './media-clock.ts';
import type { EngineMaker, EngineOptions, PlaybackEngine } from './playback-engine.ts';
import type { PlaybackFailure } from './playback-policy.ts';
import { EDGE_DRIFT_MAX_S, EDGE_TARGET_S, FLV_SETTINGS, FLV_STALL } from './player-settings.ts';

/** Not in the package's event table, but emitted since 1.8. */
const SEI_ARRIVED = 'sei_arrived';
/** `DOMException.code` when the element refuses a codec. */
const NOT_SUPPORTED_CODE = 9;

mpegts.LoggingControl.applyConfig({ enableAll: false, enableError: false, enableWarn: false });

/** HTTP-FLV by mpegts.js: one connection, the lowest delay. */
export const flvEngine: EngineMaker = {
  isSupported: () => mpegts.getFeatureList().mseLivePlayback,
  start: startFlv,
};

function startFlv({ video, url, onAttached, onFailed }: EngineOptions): PlaybackEngine {
  const clock = new MediaClock();
  const flv = mpegts.createPlayer({ type: 'flv', isLive: true, url, cors: true }, FLV_SETTINGS);
  // Told later: mpegts.js goes on with itself after its event, and fails when it was destroyed meanwhile.
  const fail = (failure: PlaybackFailure): void => {
    setTimeout(() => onFailed(failure), 0);
  };
  flv.on(mpegts.Events.ERROR, (_type: unknown, detail: unknown, info: unknown) => fail(failureOf(detail, info)));
  // Closed in good order: a live stream has no end that a player would know of.
  flv.on(mpegts.Events.LOADING_COMPLETE, () => fail('lost'));
  flv.on(SEI_ARRIVED, (sei: PlayerSei) => {
    const mark = readIngestMark(sei);
    if (mark !== null) clock.add(mark);
  });
  flv.attachMediaElement(video);
  flv.load();
  onAttached();
  return {
    mode: 'flv',
    stallLimits: FLV_STALL,
    wallMs: () => clock.wallAt(video.currentTime * 1_000),
    edgeMs: () => null,
    listText: () => null,
    keepToEdge: () => keepToEdge(video),
    destroy: () => flv.destroy(),
  };
}

function failureOf(detail: unknown, info: unknown): PlaybackFailure {
  const code = codeOf(info);
  switch (detail) {
    case mpegts.ErrorDetails.NETWORK_STATUS_CODE_INVALID:
      return failureOfStatus(code);
    case mpegts.ErrorDetails.MEDIA_FORMAT_UNSUPPORTED:
    case mpegts.ErrorDetails.MEDIA_CODEC_UNSUPPORTED:
      return 'unsupported';
    case mpegts.ErrorDetails.MEDIA_MSE_ERROR:
      return code === NOT_SUPPORTED_CODE ? 'unsupported' : 'lost';
    default:
      return 'lost';
  }
}

function codeOf(info: unknown): number {
  const code = typeof info === 'object' && info !== null && 'code' in info ? info.code : 0;
  return typeof code === 'number' ? code : 0;
}

function keepToEdge(video: HTMLVideoElement): void {
  const { buffered } = video;
  if (buffered.length === 0) return;
  const edgeS = buffered.end(buffered.length - 1);
  if (edgeS - video.currentTime > EDGE_DRIFT_MAX_S) video.currentTime = edgeS - EDGE_TARGET_S;
}
