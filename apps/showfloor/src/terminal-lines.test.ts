import { describe, expect, test } from 'vitest';
import { FloodGate, formatLogLine, isShown, parseLogLine, stricterLevel } from './terminal-lines.ts';

const NOON = new Date('2026-01-01T12:00:00Z');

function check(service: string, stream: 'stdout' | 'stderr', line: string, expected: string): void {
  expect(formatLogLine(service, parseLogLine(service, stream, line), NOON, false)).toBe(expected);
}

describe('a line in the terminal', () => {
  test('of our servers: event, fields, cause, no noise', () => {
    check(
      'worker',
      'stdout',
      '{"level":"warn","time":"t","service":"worker","pid":7,"orderId":"o1","err":{"type":"StripeError","message":"declined","stack":"…"},"event":"payment.failed"}',
      '12:00:00 worker          WARN  payment.failed orderId=o1 StripeError: declined',
    );
  });

  test('of PostgreSQL: what goes to a client anyway is not an alarm', () => {
    check(
      'postgres',
      'stderr',
      '2026 UTC [7] PANIC:  no space',
      '12:00:00 postgres        ERROR 2026 UTC [7] PANIC:  no space',
    );
    check(
      'postgres',
      'stderr',
      '2026 UTC [7] FATAL:  role',
      '12:00:00 postgres        INFO  2026 UTC [7] FATAL:  role',
    );
    check('postgres', 'stderr', '\tcontinued', '12:00:00 postgres        INFO  continued');
  });

  test('of anything else: standard error is a warning; control characters cannot steer the terminal', () => {
    check('worker', 'stderr', '\u001b[2Jwatch out', '12:00:00 worker          WARN  [2Jwatch out');
    check('worker', 'stdout', '{not json', '12:00:00 worker          INFO  {not json');
  });

  test('is at most 400 characters', () => {
    expect(parseLogLine('worker', 'stdout', 'x'.repeat(500)).text).toBe(`${'x'.repeat(400)}…`);
  });

  test('is shown from the stricter of the two levels on', () => {
    expect(stricterLevel('info', 'warn')).toBe('warn');
    expect(stricterLevel('error', 'warn')).toBe('error');
    expect(isShown('warn', 'warn')).toBe(true);
    expect(isShown('info', 'warn')).toBe(false);
    expect(isShown('fatal', 'silent')).toBe(false);
  });
});

describe('the flood gate', () => {
  test('lets 20 lines per 10 s of a process through and tells how many it hid', () => {
    const gate = new FloodGate();
    const shown = Array.from({ length: 25 }, () => gate.admit('worker', 1_000).show).filter(Boolean);
    expect(shown).toHaveLength(20);
    expect(gate.admit('commerce-server', 1_000).show).toBe(true);
    expect(gate.admit('worker', 10_999)).toEqual({ show: false, hiddenBefore: 0 });
    expect(gate.admit('worker', 11_000)).toEqual({ show: true, hiddenBefore: 6 });
  });
});
