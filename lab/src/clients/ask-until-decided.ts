/** Asking again while an answer is "not yet": bounded, with growing pauses. No I/O of its own. */

/** Pauses double from here … */
const PAUSE_FIRST_MS = 250;
/** … up to here. */
const PAUSE_MAX_MS = 2000;
/** Half a minute of asking in all; then the answer stays as it is. */
export const ASKS_MAX = 18;

/** The last answer. `isGivenUp`: it was still pending after {@link ASKS_MAX} questions. */
export type Decision<T> = { readonly answer: T; readonly isGivenUp: boolean };

/** `wait` returns false when there is no time left; the pending answer is then returned as it is. */
export async function askUntilDecided<T>(
  ask: () => Promise<T>,
  isPending: (answer: T) => boolean,
  wait: (ms: number) => Promise<boolean>,
): Promise<Decision<T>> {
  for (let asked = 1; ; asked += 1) {
    const answer = await ask();
    if (!isPending(answer)) return { answer, isGivenUp: false };
    if (asked === ASKS_MAX) return { answer, isGivenUp: true };
    if (!(await wait(Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** (asked - 1))))) return { answer, isGivenUp: false };
  }
}
