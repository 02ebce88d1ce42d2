import { describe, expect, test } from 'vitest';
import { DeliveryLedger, MISSING_MAX, readStamp, SENDERS_MAX, writeStamp } from './delivery-ledger.ts';

/** Receives these numbers from one sender: u unique, l late, d duplicate. */
function check(numbers: readonly number[], expected: string): void {
  const ledger = new DeliveryLedger();
  expect(numbers.map((number) => ledger.receive(7, number)[0]).join('')).toBe(expected);
}

describe('deliveries', () => {
  test.each([
    [[1, 2, 3], 'uuu'],
    [[1, 3, 2], 'uul'],
    [[1, 3, 2, 2], 'uuld'],
    [[4, 4], 'ud'],
    [[4, 3, 5], 'ulu'],
  ])('%j', check);

  test('senders do not mix', () => {
    const ledger = new DeliveryLedger();
    expect([ledger.receive(1, 1), ledger.receive(2, 1)]).toEqual(['unique', 'unique']);
  });

  test('memory is bounded: old senders and long gaps are forgotten', () => {
    const ledger = new DeliveryLedger();
    for (let sender = 0; sender <= SENDERS_MAX; sender += 1) ledger.receive(sender, 1);
    expect(ledger.receive(0, 1)).toBe('unique'); // the oldest was dropped
    ledger.receive(5, MISSING_MAX * 3);
    expect(ledger.receive(5, MISSING_MAX * 3 - 1)).toBe('duplicate'); // beyond the gaps that are remembered
  });
});

test('a stamp survives the way through a room, and only ours is read', () => {
  const stamp = { runId: 'ab12', sender: 3, number: 14, sentAtMs: 1234567.8, roster: 12 };
  expect(readStamp(writeStamp(stamp), 'ab12')).toEqual(stamp);
  expect(readStamp(writeStamp(stamp), 'other')).toBeNull();
  expect(readStamp('lab coats are on sale 3 4', 'ab12')).toBeNull();
});
