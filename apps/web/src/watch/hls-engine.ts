import Hls, { type ErrorData, ErrorDetails, Events } from 'hls.js/light';
import { failureOfStatus } from './http-failure.ts';
import type { EngineMaker, EngineOptions, PlaybackEngine } from './playback-engine.ts';
import type { PlaybackFailure } from './playback-policy.ts';
import { EDGE_DRIFT_MAX_S, HLS_MAX_LATENCY_TARGET_DURATIONS, HLS_SETTINGS, HLS_STALL } from './player-settings.ts';
import { steeringRate } from './steering-rate.ts';

const LIST_ERRORS: ReadonlySet<ErrorDetails> = new Set([
  ErrorDetails.MANIFEST_LOAD_ERROR,
  ErrorDetails.LEVEL_LOAD_ERROR,
]);
const CODEC_ERRORS: ReadonlySet<ErrorDetails> = new Set([
  ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR,
  ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR,
  ErrorDetails.BUFFER_ADD_CODEC_ERROR,
]);

/** LL-HLS where the list has parts, HLS where it has none, by hls.js. A fatal error is the owner's to recover from: hls.js alone may not. */
export const hlsEngine: EngineMaker = { isSupported: () => Hls.isSupported(), start: startHls };

function startHls({ video, url, isLowLatency, onAttached, onFailed }: EngineOptions): PlaybackEngine {
  const hls = new Hls({ ...HLS_SETTINGS, lowLatencyMode: isLowLatency });
  hls.config.liveMaxLatencyDurationCount = HLS_MAX_LATENCY_TARGET_DURATIONS;
  hls.on(Events.ERROR, (_event, error) => {
    if (error.fatal) onFailed(failureOf(error));
  });
  let newestSn: number | null = null;
  hls.on(Events.LEVEL_LOADED, (_event, { details: list }) => {
    // A list that does not go on where the last one ended: hls.js would look for a way from one to the other for long.
    if (newestSn !== null && list.startSN > newestSn + 1) onFailed('replaced');
    newestSn = list.endSN;
  });
  hls.on(Events.MEDIA_ATTACHED, onAttached);
  hls.loadSource(url);
  hls.attachMedia(video);
  const details = () => hls.latestLevelDetails;
  return {
    get mode() {
      return isLowLatency && (details()?.partList?.length ?? 0) > 0 ? 'll-hls' : 'hls';
    },
    stallLimits: HLS_STALL,
    wallMs: () => hls.playingDate?.getTime() ?? null,
    edgeMs: () => {
      const edgeS = details()?.edge;
      return edgeS === undefined ? null : edgeS * 1_000;
    },
    listText: () => details()?.m3u8 ?? null,
    keepToEdge: () => keepToEdge(hls, video),
    destroy: () => {
      hls.destroy();
      video.playbackRate = 1;
    },
  };
}

function failureOf({ details, response }: ErrorData): PlaybackFailure {
  if (CODEC_ERRORS.has(details)) return 'unsupported';
  // A segment that is gone says nothing about the stream.
  return LIST_ERRORS.has(details) ? failureOfStatus(response?.code ?? 0) : 'lost';
}

/**
 * hls.js jumps only when it is six target durations behind; a show is watched closer to its edge than that. And with whole segments it does
 * not steer by speed: who was starved to the very edge would stumble from segment to segment, and who fell back would stay there.
 */
function keepToEdge(hls: Hls, video: HTMLVideoElement): void {
  const targetS = hls.targetLatency;
  const positionS = hls.liveSyncPosition;
  if (targetS === null || positionS === null) return;
  const tooFarS = hls.latency - targetS;
  if (tooFarS > EDGE_DRIFT_MAX_S && positionS > video.currentTime) video.currentTime = positionS;
  if (!hls.lowLatencyMode) video.playbackRate = steeringRate(tooFarS);
}
