import { expect, test } from 'vitest';
import { createSealer } from './sealer.ts';

const sealer = createSealer('a secret of thirty-two random bytes');

test('what is sealed opens for its context only, with its key only, and only unchanged', () => {
  const sealed = sealer.seal('live_1234-ключ', 'target 7');
  expect(sealer.open(sealed, 'target 7')).toBe('live_1234-ключ');
  expect(sealer.open(sealed, 'target 8')).toBeNull();
  expect(createSealer('another secret').open(sealed, 'target 7')).toBeNull();
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Buffer.from(sealed);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(sealer.open(changed, 'target 7')).toBeNull();
    expect(sealer.open(sealed.subarray(0, index), 'target 7')).toBeNull();
  }
});

test('the same text never looks the same, and the text does not show', () => {
  const first = sealer.seal('live_1234', 'x');
  expect(first.equals(sealer.seal('live_1234', 'x'))).toBe(false);
  expect(first.includes('live_1234')).toBe(false);
  expect(sealer.open(sealer.seal('', 'x'), 'x')).toBe('');
});

test('a fingerprint tells texts apart, and tells nothing without the secret', () => {
  expect(sealer.fingerprint('live_1234')).toBe(
    createSealer('a secret of thirty-two random bytes').fingerprint('live_1234'),
  );
  const others = [sealer.fingerprint('live_1235'), createSealer('another secret').fingerprint('live_1234')];
  expect(new Set([sealer.fingerprint('live_1234'), ...others]).size).toBe(3);
});
