/** Sums over the last minute: a share of five seconds with three requests in it would say nothing. */

const WINDOW_MS = 60_000;

type Slice = { readonly atMs: number; readonly counts: Readonly<Record<string, number>> };

/** Holds one slice per scrape of the last minute. */
export class MinuteWindow {
  #slices: Slice[] = [];

  /** `atMs`: monotonic. */
  add(atMs: number, counts: Readonly<Record<string, number>>): void {
    this.#slices = [...this.#slices.filter((slice) => slice.atMs > atMs - WINDOW_MS), { atMs, counts }];
  }

  /** 0 when nothing of this name came. */
  sum(name: string): number {
    return this.#slices.reduce((total, { counts }) => total + (counts[name] ?? 0), 0);
  }
}
