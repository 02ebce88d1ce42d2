import type { ShowStatus, StreamState } from '@showfloor/protocol';

/** What the player itself is doing. */
export type PlayerState =
  | { readonly kind: 'loading' }
  /** The picture moves. */
  | { readonly kind: 'playing' }
  /** It should move, but what was loaded is used up. */
  | { readonly kind: 'stalled' }
  | { readonly kind: 'paused' }
  /** The browser refused to start by itself: a press on play is needed. */
  | { readonly kind: 'blocked' }
  | { readonly kind: 'retrying'; readonly attempt: number }
  /** No Media Source Extensions here. */
  | { readonly kind: 'unsupported' };

/** What stands in front of the picture; null: nothing. */
export type Slate =
  | 'loading'
  | 'starting'
  | 'interrupted'
  | 'ended'
  | 'cancelled'
  | 'unreachable'
  | 'blocked'
  | 'unsupported'
  | null;

export type SlateInput = {
  readonly player: PlayerState;
  /** From the realtime plane; `unknown` when it is not there. */
  readonly stream: StreamState;
  /** From commerce; null when it did not answer. */
  readonly status: ShowStatus | null;
};

/** The picture has the last word while it moves; when it does not, the planes that still answer say why. */
export function slateOf({ player, stream, status }: SlateInput): Slate {
  if (player.kind === 'unsupported') return 'unsupported';
  if (status === 'cancelled') return 'cancelled';
  if (isShowOver(stream, status)) return 'ended';
  if (player.kind === 'playing') return null;
  if (stream === 'interrupted') return 'interrupted';
  if (player.kind === 'paused' || player.kind === 'stalled') return null;
  if (player.kind === 'blocked') return 'blocked';
  if (player.kind === 'loading') return isBeforeStart(status, stream) ? 'starting' : 'loading';
  if (isBeforeStart(status, stream)) return 'starting';
  if (status === 'interrupted') return 'interrupted';
  // A show that ends closes its stream a moment before anyone says so: one try in silence.
  return player.attempt < 2 ? 'loading' : 'unreachable';
}

/** Nothing more will come: no reason to ask for the picture again. */
export function isShowOver(stream: StreamState, status: ShowStatus | null): boolean {
  return stream === 'ended' || status === 'cancelled' || (status === 'ended' && stream !== 'live');
}

function isBeforeStart(status: ShowStatus | null, stream: StreamState): boolean {
  return stream !== 'live' && (status === 'scheduled' || status === 'ready');
}
