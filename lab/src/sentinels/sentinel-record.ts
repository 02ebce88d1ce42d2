/** What real browsers in a run saw: the lines of `sentinels.jsonl`. Times in ms; `atMs` counts from the start of the run. */
import type { VideoAbility } from '../verdict/criterion.ts';

/** How many browsers' players; more than the cores can decode would be measured as stalls. */
export type SentinelRequest = { readonly count: number };

/** What a latency rests on: `capture` and `pdt` as for virtual viewers, `ingest` when there is no capture time. */
export type SentinelTier = 'capture' | 'ingest' | 'pdt';

/** Once per second and player; sums count from pressing play. */
export type SentinelSample = {
  readonly type: 'sample';
  readonly atMs: number;
  readonly sentinel: number;
  readonly protocol: VideoAbility;
  readonly state: 'starting' | 'playing' | 'stalled' | 'failed';
  readonly startupMs: number | null;
  readonly stalledMs: number;
  readonly stalls: number;
  readonly frames: number;
  readonly droppedFrames: number;
  /** Age of the picture on the screen; null while nothing tells it. */
  readonly latencyMs: number | null;
  readonly tier: SentinelTier | null;
};

/** Once per player, when it leaves. */
export type SentinelSession = {
  readonly type: 'session';
  readonly atMs: number;
  readonly sentinel: number;
  readonly protocol: VideoAbility;
  /** Pressing play → first frame on the screen; null: never. */
  readonly startupMs: number | null;
  readonly watchedMs: number;
  readonly stalledMs: number;
  readonly stalls: number;
  readonly frames: number;
  readonly droppedFrames: number;
  readonly latencyP50Ms: number | null;
  readonly tier: SentinelTier | null;
  readonly error: string | null;
};

/** There were none, and why. */
export type SentinelsSkipped = { readonly type: 'skipped'; readonly wanted: number; readonly reason: string };

/** One line of `sentinels.jsonl`. */
export type SentinelLine = SentinelSample | SentinelSession | SentinelsSkipped;

/** Name of the file in the run folder. */
export const SENTINELS_FILE = 'sentinels.jsonl';
