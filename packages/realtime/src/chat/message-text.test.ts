import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanText } from './message-text.ts';

test.each([
  ['  hello  there ', 'hello there'],
  ['two\nlines\tand tabs', 'two lines and tabs'],
  ['bell\u0007 and escape\u001b[31m', 'bell and escape[31m'],
  ['\u202egnp.exe', 'gnp.exe'],
  ['family 👩‍👩‍👧 stays', 'family 👩‍👩‍👧 stays'],
  ['lone \ud800 surrogate', 'lone \ufffd surrogate'],
  ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['\u0000\u200f \u2066', ''],
])('%j is shown as %j', (given, shown) => {
  expect(cleanText(given)).toBe(shown);
});

test('clean text holds no control characters and stays as it is when cleaned again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const cleaned = cleanText(text);
      expect(cleaned).not.toMatch(/\p{Cc}/u);
      expect(cleanText(cleaned)).toBe(cleaned);
    }),
  );
});
