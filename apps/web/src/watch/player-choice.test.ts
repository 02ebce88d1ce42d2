import { expect, test } from 'vitest';
import { keepPlayerChoice, readPlayerChoice } from './player-choice.ts';

test('the address has the first word, then what was chosen before, then the lowest delay that works', () => {
  expect(readPlayerChoice('')).toBe('auto');
  keepPlayerChoice('hls');
  expect(readPlayerChoice('?a=b')).toBe('hls');
  expect(readPlayerChoice('?player=ll-hls')).toBe('ll-hls');
  keepPlayerChoice('auto');
  expect(readPlayerChoice('?player=')).toBe('auto');
});

test('an unknown word in the address is not heard', () => {
  expect(readPlayerChoice('?player=vhs')).toBe('auto');
});
