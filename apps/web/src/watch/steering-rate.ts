import { HLS_SETTINGS, HLS_STEER_FROM_S, HLS_STEER_SLOW_RATE } from './player-settings.ts';

/** How fast to play a picture that is `tooFarS` seconds further behind than it should be; negative: too close to the edge. */
export function steeringRate(tooFarS: number): number {
  if (tooFarS > HLS_STEER_FROM_S) return HLS_SETTINGS.maxLiveSyncPlaybackRate;
  return tooFarS < -HLS_STEER_FROM_S ? HLS_STEER_SLOW_RATE : 1;
}
