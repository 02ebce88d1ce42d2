/** Facts that explain a {@link FormatError}: numbers, short strings and flags only, never payload bytes or secrets. */
export type FormatErrorDetails = Readonly<Record<string, number | string | boolean>>;

/**
 * The peer sent bytes that break a format or one of its limits. Thrown by every parser of this package, caught once at
 * the edge of the session that received the bytes, which it ends. `code` is stable, lower-case and dotted.
 */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly code: string;
  readonly details: FormatErrorDetails;

  constructor(code: string, details: FormatErrorDetails = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}
