import { assertNever } from '@showfloor/service-kit';

/**
 * The life of one supervised process as a pure function: states, what may happen, what to do about it. The clock is the
 * caller's. `SupervisedChild` carries the actions out.
 */
export type ChildState =
  /** Not running and not meant to. */
  | { readonly kind: 'idle' }
  /** Running, not yet ready. `failures` counts ends in a row, `wasReady` whether it ever served. */
  | { readonly kind: 'starting'; readonly failures: number; readonly wasReady: boolean }
  | { readonly kind: 'ready'; readonly failures: number; readonly sinceMs: number }
  /** Ended; starts again at `untilMs`. */
  | { readonly kind: 'waiting'; readonly failures: number; readonly wasReady: boolean; readonly untilMs: number }
  /** Asked to end. `thenStart`: it is wanted again at once (its files changed). */
  | { readonly kind: 'stopping'; readonly thenStart: boolean; readonly wasReady: boolean }
  /** Never served and will not be tried again: the environment must change first. */
  | { readonly kind: 'gave_up'; readonly reason: 'refused' | 'failed'; readonly exit: ChildExit };

/** How a process ended: one of the two is set. */
export type ChildExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type ChildEvent =
  | { readonly type: 'start' }
  | { readonly type: 'became_ready' }
  | { readonly type: 'exited'; readonly exit: ChildExit }
  | { readonly type: 'wait_over' }
  | { readonly type: 'start_timed_out' }
  | { readonly type: 'stop' }
  | { readonly type: 'restart' };

export type ChildAction =
  | { readonly type: 'spawn' }
  | { readonly type: 'terminate' }
  | { readonly type: 'kill' }
  | { readonly type: 'wait'; readonly delayMs: number };

export type ChildRules = {
  /** Exit code that means "the environment must change first"; null: this program has none. */
  readonly refusalCode: number | null;
  /** So many failed starts in a row, before it ever was ready, and we stop trying. */
  readonly failuresBeforeReadyMax: number;
};

export const BACKOFF_FIRST_MS = 200;
export const BACKOFF_MAX_MS = 5_000;
/** A process that served this long starts again as if it had never failed. */
export const HEALTHY_AFTER_MS = 30_000;

/** Pause before the next start after `failures` ends in a row (1 or more). */
export function backoffMs(failures: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 16));
}

/** The next state, and what to do on the way. An event that means nothing in a state changes nothing. */
export function nextChildState(
  state: ChildState,
  event: ChildEvent,
  nowMs: number,
  rules: ChildRules,
): { readonly state: ChildState; readonly action: ChildAction | null } {
  const unchanged = { state, action: null };
  switch (event.type) {
    case 'start':
      if (state.kind === 'idle') return spawn(0, false);
      if (state.kind === 'stopping') return { state: { ...state, thenStart: true }, action: null };
      return unchanged;
    case 'became_ready':
      if (state.kind !== 'starting') return unchanged;
      return { state: { kind: 'ready', failures: state.failures, sinceMs: nowMs }, action: null };
    case 'exited':
      return afterExit(state, event.exit, nowMs, rules);
    case 'wait_over':
      return state.kind === 'waiting' ? spawn(state.failures, state.wasReady) : unchanged;
    case 'start_timed_out':
      return state.kind === 'starting' ? { state, action: { type: 'kill' } } : unchanged;
    case 'stop':
      if (state.kind === 'starting' || state.kind === 'ready') return terminate(state, false);
      if (state.kind === 'stopping') return { state: { ...state, thenStart: false }, action: null };
      return { state: { kind: 'idle' }, action: null };
    case 'restart':
      if (state.kind === 'starting' || state.kind === 'ready') return terminate(state, true);
      return state.kind === 'waiting' ? spawn(0, state.wasReady) : unchanged;
    default:
      return assertNever(event);
  }
}

type Step = ReturnType<typeof nextChildState>;

function spawn(failures: number, wasReady: boolean): Step {
  return { state: { kind: 'starting', failures, wasReady }, action: { type: 'spawn' } };
}

function terminate(state: ChildState & { kind: 'starting' | 'ready' }, thenStart: boolean): Step {
  const wasReady = state.kind === 'ready' || state.wasReady;
  return { state: { kind: 'stopping', thenStart, wasReady }, action: { type: 'terminate' } };
}

function afterExit(state: ChildState, exit: ChildExit, nowMs: number, rules: ChildRules): Step {
  switch (state.kind) {
    case 'stopping':
      return state.thenStart ? spawn(0, state.wasReady) : { state: { kind: 'idle' }, action: null };
    case 'starting':
      return afterFailure(state.failures + 1, state.wasReady, exit, nowMs, rules);
    case 'ready': {
      const failures = nowMs - state.sinceMs >= HEALTHY_AFTER_MS ? 1 : state.failures + 1;
      return afterFailure(failures, true, exit, nowMs, rules);
    }
    case 'idle':
    case 'waiting':
    case 'gave_up':
      return { state, action: null };
    default:
      return assertNever(state);
  }
}

/** A plane that has served is tried for ever: one plane's trouble must not end the others. */
function afterFailure(failures: number, wasReady: boolean, exit: ChildExit, nowMs: number, rules: ChildRules): Step {
  if (!wasReady && rules.refusalCode !== null && exit.code === rules.refusalCode) {
    return { state: { kind: 'gave_up', reason: 'refused', exit }, action: null };
  }
  if (!wasReady && failures >= rules.failuresBeforeReadyMax) {
    return { state: { kind: 'gave_up', reason: 'failed', exit }, action: null };
  }
  const delayMs = backoffMs(failures);
  return {
    state: { kind: 'waiting', failures, wasReady, untilMs: nowMs + delayMs },
    action: { type: 'wait', delayMs },
  };
}
