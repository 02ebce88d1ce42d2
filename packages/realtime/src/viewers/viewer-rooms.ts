/** A connection watches a handful of rooms at most: the page it shows, perhaps a preview beside it. */
export const ROOMS_PER_CONNECTION_MAX = 8;

/**
 * Who watches what, counted per connection: sets of connection ids, so that joining twice counts once, leaving twice
 * takes nothing away, and a count can never be negative. Empty rooms are forgotten.
 */
export class ViewerRooms {
  readonly #rooms = new Map<string, Set<string>>();
  readonly #joined = new Map<string, Set<string>>();
  #peak = 0;

  /** `full`: this connection is in as many rooms as it may be. */
  join(playbackId: string, connectionId: string): 'joined' | 'already' | 'full' {
    const joined = this.#joined.get(connectionId) ?? new Set<string>();
    if (joined.has(playbackId)) return 'already';
    if (joined.size >= ROOMS_PER_CONNECTION_MAX) return 'full';
    const room = this.#rooms.get(playbackId) ?? new Set<string>();
    room.add(connectionId);
    joined.add(playbackId);
    this.#rooms.set(playbackId, room);
    this.#joined.set(connectionId, joined);
    this.#peak = Math.max(this.#peak, room.size);
    return 'joined';
  }

  /** Returns whether the connection was in the room. */
  leave(playbackId: string, connectionId: string): boolean {
    const room = this.#rooms.get(playbackId);
    if (room?.delete(connectionId) !== true) return false;
    if (room.size === 0) this.#rooms.delete(playbackId);
    const joined = this.#joined.get(connectionId);
    joined?.delete(playbackId);
    if (joined?.size === 0) this.#joined.delete(connectionId);
    return true;
  }

  /** The connection is gone: leaves every room and returns them. */
  drop(connectionId: string): readonly string[] {
    const rooms = [...(this.#joined.get(connectionId) ?? [])];
    for (const playbackId of rooms) this.leave(playbackId, connectionId);
    return rooms;
  }

  count(playbackId: string): number {
    return this.#rooms.get(playbackId)?.size ?? 0;
  }

  /** Rooms with a viewer. */
  playbackIds(): readonly string[] {
    return [...this.#rooms.keys()];
  }

  /** Viewers over all rooms, rooms with a viewer, and the biggest room since the start (G-68). */
  totals(): { readonly viewers: number; readonly rooms: number; readonly peak: number } {
    let viewers = 0;
    for (const room of this.#rooms.values()) viewers += room.size;
    return { viewers, rooms: this.#rooms.size, peak: this.#peak };
  }
}
