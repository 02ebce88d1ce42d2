import { describe, expect, test } from 'vitest';
import { backoffMs, type ChildEvent, type ChildState, nextChildState } from './child-state.ts';

const RULES = { refusalCode: 2, failuresBeforeReadyMax: 5 };
const IDLE: ChildState = { kind: 'idle' };

/** One word per event; `@n` moves the clock to n seconds. The result is the trace of actions and the last state. */
const EVENTS: Record<string, ChildEvent> = {
  start: { type: 'start' },
  ready: { type: 'became_ready' },
  dies: { type: 'exited', exit: { code: null, signal: 'SIGKILL' } },
  refuses: { type: 'exited', exit: { code: 2, signal: null } },
  ends: { type: 'exited', exit: { code: 0, signal: null } },
  due: { type: 'wait_over' },
  late: { type: 'start_timed_out' },
  stop: { type: 'stop' },
  restart: { type: 'restart' },
};

function check(script: string, expected: string): void {
  let state = IDLE;
  let nowMs = 0;
  const trace: string[] = [];
  for (const word of script.split(/\s+/)) {
    if (word.startsWith('@')) {
      nowMs = Number(word.slice(1)) * 1000;
      continue;
    }
    const event = EVENTS[word];
    if (event === undefined) throw new Error(`no such event: ${word}`);
    const step = nextChildState(state, event, nowMs, RULES);
    state = step.state;
    if (step.action !== null) trace.push(step.action.type === 'wait' ? String(step.action.delayMs) : step.action.type);
  }
  expect(`${trace.join(' ')} → ${state.kind}`).toBe(expected);
}

describe('a supervised child', () => {
  test('starts, serves, is stopped', () => {
    check('start ready stop ends', 'spawn terminate → idle');
    check('start stop ends', 'spawn terminate → idle');
    check('stop', ' → idle');
  });

  test('is restarted after it died, later each time, up to 5 s', () => {
    check('start ready dies', 'spawn 200 → waiting');
    check('start ready dies due ready', 'spawn 200 spawn → ready');
    check(
      'start ready dies due dies due dies due dies due dies due dies due dies',
      'spawn 200 spawn 400 spawn 800 spawn 1600 spawn 3200 spawn 5000 spawn 5000 → waiting',
    );
    expect(backoffMs(10_000)).toBe(5_000);
  });

  test('is forgiven after 30 s of service, not before', () => {
    check('start ready dies due @10 ready @39.9 dies', 'spawn 200 spawn 400 → waiting');
    check('start ready dies due @10 ready @40 dies', 'spawn 200 spawn 200 → waiting');
  });

  test('an exit with code 0 nobody asked for is a death', () => {
    check('start ready ends', 'spawn 200 → waiting');
  });

  test('a refusal before it ever served ends the trying; after that it does not', () => {
    check('start refuses', 'spawn → gave_up');
    check('start ready dies due refuses', 'spawn 200 spawn 400 → waiting');
  });

  test('five failed starts before it ever served end the trying', () => {
    check('start dies due dies due dies due dies', 'spawn 200 spawn 400 spawn 800 spawn 1600 → waiting');
    check('start dies due dies due dies due dies due dies', 'spawn 200 spawn 400 spawn 800 spawn 1600 spawn → gave_up');
  });

  test('a start that takes too long is killed and counts as a failure', () => {
    check('start late dies', 'spawn kill 200 → waiting');
    check('start ready late', 'spawn → ready');
  });

  test('a stop while it waits or while it is being restarted is final', () => {
    check('start ready dies stop due', 'spawn 200 → idle');
    check('start ready restart stop ends', 'spawn terminate → idle');
  });

  test('a wanted restart skips the wait', () => {
    check('start ready restart ends ready', 'spawn terminate spawn → ready');
    check('start ready dies restart ready', 'spawn 200 spawn → ready');
    check('start ready stop start ends ready', 'spawn terminate spawn → ready');
  });
});
