import { expect, test } from 'vitest';
import { ApiProblem } from './http.ts';
import { OPEN_KEYS_MAX, OpenKeys } from './open-keys.ts';

function keys(): OpenKeys {
  let made = 0;
  return new OpenKeys(() => {
    made += 1;
    return `key-${made}`;
  });
}

/** Presses once; the shop answers with `problem`, or well. Returns the key it was asked under. */
async function press(open: OpenKeys, what: string, body: unknown, problem?: [number, ApiProblem['reason']]) {
  let asked = '';
  const ask = async (key: string): Promise<void> => {
    asked = key;
    if (problem !== undefined) throw new ApiProblem({ status: problem[0], reason: problem[1], detail: 'No.' });
  };
  await open.once(what, body, ask).catch((error: unknown) => {
    if (!(error instanceof ApiProblem)) throw error;
  });
  return asked;
}

const stock = { variantId: 'v', deltaUnits: 10 };

test.each([
  [0, 'unavailable'],
  [503, 'unavailable'],
  [404, 'unavailable'],
  [429, 'rate_limited'],
  [401, 'unauthenticated'],
  [409, 'conflict'],
] as const)('after %i %s the next press asks for the same change again', async (status, reason) => {
  const open = keys();
  expect(await press(open, 'stock p', stock, [status, reason])).toBe('key-1');
  expect(await press(open, 'stock p', stock)).toBe('key-1');
  expect(await press(open, 'stock p', stock)).toBe('key-2');
});

test('a refusal is an answer: the next press is a change of its own', async () => {
  const open = keys();
  expect(await press(open, 'hold', stock, [409, 'insufficient_stock'])).toBe('key-1');
  expect(await press(open, 'hold', stock)).toBe('key-2');
});

test('another button or another body has another key', async () => {
  const open = keys();
  const lost = [0, 'unavailable'] as [number, 'unavailable'];
  expect(await press(open, 'stock p', stock, lost)).toBe('key-1');
  expect(await press(open, 'stock q', stock, lost)).toBe('key-2');
  expect(await press(open, 'stock p', { ...stock, deltaUnits: 5 }, lost)).toBe('key-3');
  expect(await press(open, 'stock p', stock, lost)).toBe('key-1');
});

test('at the bound the key open for longest is given up', async () => {
  const open = keys();
  for (let index = 0; index <= OPEN_KEYS_MAX; index += 1)
    await press(open, `stock ${index}`, stock, [0, 'unavailable']);
  expect(await press(open, 'stock 1', stock)).toBe('key-2');
  expect(await press(open, 'stock 0', stock)).toBe(`key-${OPEN_KEYS_MAX + 2}`);
});
