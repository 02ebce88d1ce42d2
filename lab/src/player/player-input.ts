/** Everything that goes into a player, as data: one line of a recording. Times are monotonic milliseconds of one clock. */
export type PlayerInput =
  | { readonly type: 'request'; readonly atMs: number }
  | {
      readonly type: 'media';
      readonly atMs: number;
      readonly track: 'video' | 'audio';
      readonly dtsMs: number;
      readonly isKeyframe: boolean;
      readonly lagMs: number;
    }
  | {
      readonly type: 'span';
      readonly atMs: number;
      readonly fromMs: number;
      readonly toMs: number;
      readonly playFromMs: number;
      readonly lagMs: number;
    }
  | { readonly type: 'reconnect' | 'complete' | 'end' | 'fail'; readonly atMs: number };
