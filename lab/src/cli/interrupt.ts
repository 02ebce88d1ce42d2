/** Ctrl-C and SIGTERM of a command: the first one ends it in good order, a later one at once. */
import { EXIT_CODES } from '../verdict/verdict.ts';

/** One Ctrl-C reaches the lab twice when npm runs it; a second one that is meant comes later. */
const SECOND_SIGNAL_AFTER_MS = 500;

/** `signal` aborts at the first one. Call `forget` when the command is over. */
export function onInterrupt(): { readonly signal: AbortSignal; readonly forget: () => void } {
  const interrupt = new AbortController();
  let interruptedAtMs = Number.NEGATIVE_INFINITY;
  const onSignal = (): void => {
    const sinceMs = performance.now() - interruptedAtMs;
    if (interrupt.signal.aborted && sinceMs > SECOND_SIGNAL_AFTER_MS) process.exit(EXIT_CODES.interrupted);
    if (!interrupt.signal.aborted) interruptedAtMs = performance.now();
    interrupt.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: interrupt.signal,
    forget: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
