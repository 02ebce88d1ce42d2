import { expect, test } from 'vitest';
import { openSharedRoom, SHARED_ROOM_BYTES } from './shared-room.ts';

test('a message is owed to exactly the members of the roster it was sent at', () => {
  const buffer = new SharedArrayBuffer(SHARED_ROOM_BYTES);
  const [here, there] = [openSharedRoom(buffer), openSharedRoom(buffer)];
  expect(here.roster()).toEqual({ number: 0, members: 0 });
  const first = here.join();
  const alone = there.roster();
  const second = there.join();
  const both = here.roster();
  const left = here.leave();
  const after = there.roster();
  expect([alone.members, both.members, after.members]).toEqual([1, 2, 1]);
  const isOwed = (sentAt: number, from: number, until = Number.POSITIVE_INFINITY) => from <= sentAt && sentAt < until;
  const owed = [alone, both, after].map(
    ({ number }) => Number(isOwed(number, first, left)) + Number(isOwed(number, second)),
  );
  expect(owed).toEqual([1, 2, 1]);
});
