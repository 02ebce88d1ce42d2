import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ROOMS_PER_CONNECTION_MAX, ViewerRooms } from './viewer-rooms.ts';

test('a count equals the connections that are really there, whatever order they come and go in', () => {
  const step = fc.record({
    does: fc.constantFrom('join', 'leave', 'drop'),
    who: fc.constantFrom('a', 'b', 'c', 'd'),
    room: fc.constantFrom('demo', 'other'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const rooms = new ViewerRooms();
      const truth = new Set<string>();
      for (const { does, who, room } of steps) {
        if (does === 'join') {
          rooms.join(room, who);
          truth.add(`${room} ${who}`);
        } else if (does === 'leave') {
          expect(rooms.leave(room, who)).toBe(truth.delete(`${room} ${who}`));
        } else {
          rooms.drop(who);
          for (const entry of truth) if (entry.endsWith(` ${who}`)) truth.delete(entry);
        }
        expect(rooms.count('demo')).toBe([...truth].filter((entry) => entry.startsWith('demo')).length);
        expect(rooms.totals().viewers).toBe(truth.size);
      }
    }),
  );
});

test('a connection is refused a room more than it may watch', () => {
  const rooms = new ViewerRooms();
  for (let index = 0; index < ROOMS_PER_CONNECTION_MAX; index += 1)
    expect(rooms.join(`room-${index}`, 'a')).toBe('joined');
  expect(rooms.join('one-more', 'a')).toBe('full');
  expect(rooms.join('room-0', 'a')).toBe('already');
  expect(rooms.totals()).toEqual({ viewers: 8, rooms: 8, peak: 1 });
});
