/** Who is in the room, counted over all worker threads: what a sent message is owed to. */

/** The roster at one instant: its number grows by one with every change. */
export type Roster = { readonly number: number; readonly members: number };

/** Shared by all members of a run. */
export type SharedRoom = {
  /** Returns the number of the roster that has this member: messages sent at it or later are owed to the member. */
  readonly join: () => number;
  /** Returns the number of the first roster without this member: messages sent at it or later are not. */
  readonly leave: () => number;
  readonly roster: () => Roster;
};

/** Bytes to share. */
export const SHARED_ROOM_BYTES = 8;

const MEMBER = 1n;
const CHANGE = 1n << 32n;

/**
 * A room in a SharedArrayBuffer of {@link SHARED_ROOM_BYTES}. The roster's number and size are one 64-bit word: sender and
 * receiver agree to the message on who was there, however their threads are scheduled.
 */
export function openSharedRoom(buffer: SharedArrayBuffer): SharedRoom {
  const word = new BigInt64Array(buffer);
  return {
    join: () => numberOf(Atomics.add(word, 0, CHANGE + MEMBER)) + 1,
    leave: () => numberOf(Atomics.add(word, 0, CHANGE - MEMBER)) + 1,
    roster: () => {
      const value = Atomics.load(word, 0);
      return { number: numberOf(value), members: Number(value % CHANGE) };
    },
  };
}

function numberOf(value: bigint): number {
  return Number(value / CHANGE);
}
