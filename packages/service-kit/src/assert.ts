/** Thrown by {@link assert}: our fault, never the peer's. Counted in `bugs_total`. */
export class BugError extends Error {
  override readonly name = 'BugError';
}

let bugCount = 0;

/** How many bugs this process has met; exported as `bugs_total`, which is 0 in every healthy run. */
export function bugsTotal(): number {
  return bugCount;
}

/** Counts a bug that was caught at an edge (an error nobody expected). */
export function countBug(): void {
  bugCount += 1;
}

/** States an invariant. Throws {@link BugError} when it does not hold. */
export function assert(condition: unknown, message: string): asserts condition {
  if (condition) return;
  bugCount += 1;
  throw new BugError(message);
}

/** Ends a `switch` over a union: the compiler refuses a missing case, run time throws {@link BugError}. */
export function assertNever(value: never): never {
  bugCount += 1;
  throw new BugError(`unexpected value: ${JSON.stringify(value)}`);
}
