import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ChatRooms } from './chat-rooms.ts';
import { JournalFolder } from './journal-folder.ts';

const opened: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

/** Rooms of which those called `show-…` are named by an event; `members` are those that somebody sits in. */
function roomsWith(bounds: { roomsMax: number; unnamedRoomsMax: number }, members: Set<string>): ChatRooms {
  const isNamed = (liveId: string): boolean => liveId.startsWith('show-');
  const path = mkdtempSync(join(tmpdir(), 'chat-rooms-'));
  const folder = new JournalFolder({
    path,
    retentionDays: 30,
    isNamed,
    isInUse: () => false,
    onError: () => undefined,
  });
  const rooms = new ChatRooms({
    folder,
    isNamed,
    publish: () => undefined,
    membersOf: (liveId) => (members.has(liveId) ? 1 : 0),
    delayMs: () => 0,
    onDelivered: () => undefined,
    onJournalError: () => undefined,
    ...bounds,
  });
  opened.push(rooms, folder);
  return rooms;
}

test('made-up rooms, however many and busy, never keep a show from its chat', async () => {
  const members = new Set(['made-up-1', 'made-up-2']);
  const rooms = roomsWith({ roomsMax: 2, unnamedRoomsMax: 2 }, members);
  for (const liveId of members) expect(await rooms.open(liveId)).not.toBeNull();
  expect(await rooms.open('made-up-3'), 'at their bound').toBeNull();
  for (const liveId of ['show-1', 'show-2']) {
    members.add(liveId);
    expect(await rooms.open(liveId)).not.toBeNull();
  }
  expect(await rooms.open('show-3'), 'at the bound of shows').toBeNull();
  expect(rooms.size).toBe(4);
});

test('at its bound each kind closes an idle room of its own kind', async () => {
  const rooms = roomsWith({ roomsMax: 1, unnamedRoomsMax: 1 }, new Set());
  for (const liveId of ['show-1', 'made-up-1', 'made-up-2']) expect(await rooms.open(liveId)).not.toBeNull();
  expect([rooms.find('show-1') !== undefined, rooms.find('made-up-1') !== undefined]).toEqual([true, false]);
  expect(await rooms.open('show-2')).not.toBeNull();
  expect([rooms.find('show-1') !== undefined, rooms.find('made-up-2') !== undefined]).toEqual([false, true]);
});
