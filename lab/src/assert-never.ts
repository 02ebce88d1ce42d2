/** Ends a `switch` over a union: the compiler refuses a missing case, run time throws. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
