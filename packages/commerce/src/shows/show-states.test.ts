import { SHOW_STATUSES } from '@showfloor/protocol';
import { expect, test } from 'vitest';
import { admitsPublisher, isOver, nextStatus, type ShowMove } from './show-states.ts';

const MOVES: readonly ShowMove[] = ['start', 'publish', 'interrupt', 'resume', 'stop', 'end', 'cancel'];

test('every move from every state, legal and not', () => {
  const table = SHOW_STATUSES.map(
    (status) => `${status}: ${MOVES.map((move) => nextStatus(status, move) ?? '-').join(' ')}`,
  );
  //                start publish interrupt resume stop end cancel
  expect(table).toEqual([
    'scheduled: ready live - - - - cancelled',
    'ready: - live - - - - cancelled',
    'live: - live interrupted live ended ended -',
    'interrupted: - live interrupted live ended ended -',
    'ended: - - - - - - -',
    'cancelled: - - - - - - -',
  ]);
});

test('a publisher is let in until the show is over', () => {
  expect(SHOW_STATUSES.filter(admitsPublisher)).toEqual(['scheduled', 'ready', 'live', 'interrupted']);
  expect(SHOW_STATUSES.filter(isOver)).toEqual(['ended', 'cancelled']);
});
