/** The last five minutes of the charts, so that a late visitor sees what everybody else sees. */

/** One second of all lines. */
export type PointRow = {
  readonly sequence: number;
  readonly atMs: number;
  readonly points: Readonly<Record<string, number | null>>;
};

/** Five minutes at one frame per second. */
export const RING_ROWS_MAX = 300;

/** Rows in order; the oldest goes when it is full. */
export class PointRing {
  readonly #rows: PointRow[] = [];

  add(row: PointRow): void {
    this.#rows.push(row);
    if (this.#rows.length > RING_ROWS_MAX) this.#rows.shift();
  }

  clear(): void {
    this.#rows.length = 0;
  }

  get rows(): readonly PointRow[] {
    return this.#rows;
  }

  /** What came after this one; null when some of it is gone, or when it never was here. */
  after(sequence: number): readonly PointRow[] | null {
    const at = this.#rows.findIndex((row) => row.sequence === sequence);
    return at < 0 ? null : this.#rows.slice(at + 1);
  }
}
