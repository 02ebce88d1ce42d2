import { expect, test } from 'vitest';
import type { ShowChange } from '../target/target.ts';
import { ShowStates } from './show-states.ts';

type Step = readonly ['lost' | 'back' | 'finish', number] | readonly [ShowChange['state'], number, number?];

function count(steps: readonly Step[]): Record<string, number> {
  const total: Record<string, number> = {};
  const states = new ShowStates((fault, counters) => {
    expect(fault).toBe('gone');
    for (const [name, value] of Object.entries(counters)) total[name] = (total[name] ?? 0) + value;
  });
  for (const [what, atMs, graceEndsAtMs] of steps) {
    if (what === 'lost' || what === 'back') states[what]('gone', atMs);
    else if (what === 'finish') states.finish(atMs);
    else states.said({ state: what, graceEndsAtWallMs: graceEndsAtMs ?? null }, atMs);
  }
  return total;
}

const LOST = { show_losses_total: 1, show_losses_told_total: 1, show_ended_early_total: 0 };

test.each<[string, readonly Step[], Record<string, number>]>([
  [
    'with grace: interrupted and resumed, not ended',
    [
      ['lost', 0],
      ['interrupted', 300, 120_000],
      ['back', 5000],
      ['resumed', 5400],
      ['finish', 60_000],
    ],
    { ...LOST, show_returns_total: 1, show_returns_told_total: 1 },
  ],
  [
    'ended while the grace window is open',
    [
      ['lost', 0],
      ['interrupted', 300, 120_000],
      ['ended', 3000],
      ['back', 5000],
    ],
    { ...LOST, show_ended_early_total: 1, show_returns_total: 1, show_returns_told_total: 0 },
  ],
  [
    'ended when the grace window has run out',
    [
      ['lost', 0],
      ['interrupted', 300, 4300],
      ['ended', 4500],
      ['back', 9000],
    ],
    { ...LOST, show_ends_due_total: 1, show_ends_on_time_total: 1, show_returns_total: 1, show_returns_told_total: 0 },
  ],
  [
    'the grace window runs out and nobody says so',
    [
      ['lost', 0],
      ['interrupted', 300, 4300],
      ['finish', 20_000],
    ],
    { ...LOST, show_ends_due_total: 1, show_ends_on_time_total: 0 },
  ],
  [
    'without grace: ended at once, live again',
    [
      ['lost', 0],
      ['ended', 200],
      ['back', 5000],
      ['live', 5300],
    ],
    { ...LOST, show_returns_total: 1, show_returns_told_total: 1 },
  ],
  [
    'nothing is ever said',
    [
      ['lost', 0],
      ['back', 5000],
      ['finish', 60_000],
    ],
    {
      show_losses_total: 1,
      show_losses_told_total: 0,
      show_ended_early_total: 0,
      show_returns_total: 1,
      show_returns_told_total: 0,
    },
  ],
  [
    'said too late is not said',
    [
      ['lost', 0],
      ['interrupted', 10_500, 120_000],
      ['back', 12_000],
      ['resumed', 23_000],
    ],
    { ...LOST, show_losses_told_total: 0, show_returns_total: 1, show_returns_told_total: 0 },
  ],
])('%s', (_name, steps, expected) => {
  expect(count(steps)).toEqual(expected);
});
