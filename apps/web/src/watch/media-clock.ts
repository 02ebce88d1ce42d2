/**
 * Maps the player's time to the ingest wall clock. The media server stamps each keyframe with the wall clock of its
 * arrival (SEI); between two stamps media time runs as wall time does. An interruption moves the wall clock on while
 * player time stays contiguous, so the mapping is piecewise: each stamp rules from its own instant to the next.
 * Pure: no player, no timers.
 */
export class MediaClock {
  #marks: ClockMark[] = [];

  /** Adds a stamp. A stamp behind the newest one means that the player's time line started again: the old ones go. */
  add(mark: ClockMark): void {
    const newest = this.#marks.at(-1);
    if (newest !== undefined && mark.playerMs < newest.playerMs) this.#marks = [];
    if (newest !== undefined && mark.playerMs === newest.playerMs) this.#marks.pop();
    this.#marks.push(mark);
    if (this.#marks.length > CLOCK_MARKS_MAX) this.#marks.shift();
  }

  /**
   * Wall clock (ms since the epoch, the media server's) of the picture at `playerMs`; null when no stamp is near. The
   * first group of pictures may come without its stamp, hence the reach backwards.
   */
  wallAt(playerMs: number): number | null {
    const ruling = this.#marks.findLast((mark) => mark.playerMs <= playerMs);
    if (ruling !== undefined) return ruling.wallMs + (playerMs - ruling.playerMs);
    const first = this.#marks[0];
    if (first === undefined || first.playerMs - playerMs > CLOCK_REACH_BACK_MS) return null;
    return first.wallMs - (first.playerMs - playerMs);
  }

  /** Forgets everything: the player loads again, its time starts at zero. */
  clear(): void {
    this.#marks = [];
  }

  /** Stamps held, at most CLOCK_MARKS_MAX. */
  get size(): number {
    return this.#marks.length;
  }
}

/** One stamp: player time and wall clock of the same picture, both in milliseconds. */
export type ClockMark = { readonly playerMs: number; readonly wallMs: number };

/** A keyframe each second and 20 s behind the playhead: 64 outlast the player's back buffer. The oldest goes first. */
export const CLOCK_MARKS_MAX = 64;

/** How far before the first stamp the mapping still holds: longer than one group of pictures of a sane encoder. */
export const CLOCK_REACH_BACK_MS = 10_000;
