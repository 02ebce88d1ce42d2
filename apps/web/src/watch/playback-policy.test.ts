import { describe, expect, test } from 'vitest';
import {
  type Capabilities,
  initialPlayback,
  type PlaybackEvent,
  type PlaybackFailure,
  type PlaybackOrder,
  type PlayerChoice,
  playbackAfter,
} from './playback-policy.ts';
import { FLV_BAR_MAX_MS, FLV_BAR_MS, FLV_RETURN_STEADY_MS } from './player-settings.ts';

const EVERYTHING: Capabilities = { mediaSource: true, nativeHls: true };
const OLD_IPHONE: Capabilities = { mediaSource: false, nativeHls: true };
const NOTHING: Capabilities = { mediaSource: false, nativeHls: false };
const FAILURES = new Set<string>(['absent', 'refused', 'unsupported', 'replaced', 'lost'] satisfies PlaybackFailure[]);

/**
 * Words, in turn: `begin`, `on-air`, `picture`, a failure (`lost`, `absent` …), `choose:hls`, or a time that passes: `30s`. A time is
 * passed in ticks of a second. Orders come back as `transport@delay` (seconds, without jitter), `give-up`, or `-` for none; those
 * of a passing time only when there is one.
 */
function check(words: string, orders: string, choice: PlayerChoice = 'auto', can: Capabilities = EVERYTHING): void {
  let state = initialPlayback(choice, can);
  let nowMs = 1_000_000;
  const given: string[] = [];
  const feed = (event: PlaybackEvent, isQuiet: boolean): void => {
    const step = playbackAfter(state, event, nowMs, 0);
    state = step.state;
    if (step.order === null && isQuiet) return;
    given.push(shown(step.order));
    nowMs += step.order?.kind === 'load' ? step.order.delayMs : 0;
  };
  for (const word of words.split(/\s+/)) {
    const seconds = /^(\d+)s$/.exec(word)?.[1];
    for (let second = 0; second < Number(seconds ?? 0); second += 1) {
      nowMs += 1_000;
      feed({ kind: 'tick' }, true);
    }
    if (seconds === undefined) feed(eventOf(word), false);
  }
  expect(given.join(' ')).toBe(orders);
}

function eventOf(word: string): PlaybackEvent {
  if (FAILURES.has(word)) return { kind: 'failed', failure: word as PlaybackFailure };
  if (word.startsWith('choose:')) return { kind: 'choose', choice: word.slice(7) as PlayerChoice };
  return { kind: word as 'begin' | 'picture' | 'on-air' };
}

function shown(order: PlaybackOrder): string {
  if (order === null) return '-';
  if (order.kind === 'give-up') return 'give-up';
  const list = { any: '', present: '?', advancing: '+' }[order.list];
  return `${order.transport}${order.transport === 'flv' ? '' : list}@${order.delayMs / 1_000}`;
}

describe('what comes first', () => {
  test('I-02 FLV for its low delay, HLS where there are no Media Source Extensions', () => {
    check('begin', 'flv@0');
    check('begin', 'native?@0', 'auto', OLD_IPHONE);
    check('begin', 'give-up', 'auto', NOTHING);
  });

  test('a choice is kept to, whatever happens', () => {
    check('begin lost lost lost lost lost', 'flv@0 flv@1 flv@2 flv@4 flv@4 flv@4', 'flv');
    check('begin absent lost picture lost', 'hls@0 hls+@1 hls+@2 - hls+@4', 'll-hls');
    check('begin', 'native?@0', 'hls', OLD_IPHONE);
    check('begin', 'give-up', 'flv', OLD_IPHONE);
  });

  test('a new choice plays at once', () => {
    check('begin picture choose:hls picture choose:auto', 'flv@0 - hls@0 - flv@0');
  });

  test('only HLS by choice does without parts', () => {
    for (const choice of ['auto', 'll-hls', 'hls'] as const) {
      const { order } = playbackAfter(initialPlayback(choice, OLD_IPHONE), { kind: 'begin' }, 0, 0);
      expect(order).toMatchObject({ isLowLatency: choice !== 'hls' });
    }
  });
});

describe('FLV fails', () => {
  test('G-51 refused or not there: HLS at once, when its list answers', () => {
    check('begin absent picture', 'flv@0 hls?@0 -');
    check('begin refused picture', 'flv@0 hls?@0 -');
  });

  test('I-80 I-81 lost: 1, 2, 4 seconds, then HLS', () => {
    check('begin lost lost lost lost picture', 'flv@0 flv@1 flv@2 flv@4 hls?@0 -');
  });

  test('a picture that stayed half a minute starts the count anew, a shorter one does not', () => {
    check('begin lost picture 30s lost lost lost lost', 'flv@0 flv@1 - flv@1 flv@2 flv@4 hls?@0');
    check('begin lost picture 29s lost lost lost', 'flv@0 flv@1 - flv@2 flv@4 hls?@0');
  });

  test('a codec that FLV cannot carry here is not tried again', () => {
    check('begin unsupported lost lost lost lost', 'flv@0 hls?@0 hls+@1 hls+@2 hls+@4 hls+@4');
    check('begin unsupported picture 3600s', 'flv@0 hls?@0 -');
  });

  test('where no way can decode it, it says so; the next time on air is worth a look', () => {
    check('begin unsupported unsupported unsupported', 'flv@0 hls?@0 native+@1 give-up');
    check('begin unsupported', 'flv@0 give-up', 'flv');
    check('begin unsupported on-air', 'native?@0 give-up native?@0', 'auto', OLD_IPHONE);
  });
});

describe('nothing is there', () => {
  test('both are asked, once per step of the backoff, FLV first', () => {
    check('begin absent absent absent absent absent absent', 'flv@0 hls?@0 flv@1 hls?@0 flv@2 hls?@0 flv@4');
  });

  test('a server that was started again: its new stream is loaded at once, by FLV when that is no longer barred', () => {
    check('begin picture replaced', 'hls@0 - hls@0', 'hls');
    check('begin refused picture 10s replaced', 'flv@0 hls?@0 - hls?@0');
    check('begin refused picture 60s replaced', 'flv@0 hls?@0 - flv@0');
  });

  test('hls.js is loaded only for a list that is there, unless the viewer chose it', () => {
    check('begin refused on-air', 'flv@0 hls?@0 hls?@0');
    check('begin absent on-air', 'hls@0 hls+@1 hls@0', 'hls');
  });

  test('on air: no need to wait out the backoff', () => {
    check('begin absent absent on-air picture', 'flv@0 hls?@0 flv@1 flv@0 -');
  });

  test('a server that is gone: FLV three times, HLS three times, FLV again', () => {
    check(
      'begin picture 60s lost lost lost lost lost lost lost lost',
      'flv@0 - flv@1 flv@2 flv@4 hls?@0 hls+@4 hls+@4 flv@8 flv@8',
    );
  });
});

describe('the way back to FLV', () => {
  const BAR_S = FLV_BAR_MS / 1_000;
  const STEADY_S = FLV_RETURN_STEADY_MS / 1_000;

  test('HLS lost as well, after the bar: FLV is asked first', () => {
    check(`begin absent picture ${BAR_S}s lost`, 'flv@0 hls?@0 - flv@1');
    check(`begin absent picture ${BAR_S - 10}s lost`, 'flv@0 hls?@0 - hls+@1');
  });

  test('after minutes of steady HLS one short gap is worth it', () => {
    check(`begin absent picture ${STEADY_S - 1}s`, 'flv@0 hls?@0 -');
    check(`begin absent picture ${STEADY_S}s picture`, 'flv@0 hls?@0 - flv@0 -');
  });

  test('a return that fails goes straight back to HLS and the next one waits twice as long', () => {
    check(`begin absent picture ${STEADY_S}s lost picture`, 'flv@0 hls?@0 - flv@0 hls?@0 -');
    check(`begin absent picture ${STEADY_S}s picture 3s lost picture`, 'flv@0 hls?@0 - flv@0 - hls?@0 -');
    check(`begin absent picture ${STEADY_S}s picture 40s lost`, 'flv@0 hls?@0 - flv@0 - flv@1');
  });

  test('the bar doubles up to its bound', () => {
    let state = initialPlayback('auto', EVERYTHING);
    const bars: number[] = [];
    for (let time = 0; time < 9; time += 1) {
      state = playbackAfter({ ...state, flvBarredUntilMs: 0 }, { kind: 'begin' }, 0, 0).state;
      state = playbackAfter(state, { kind: 'failed', failure: 'refused' }, 0, 0).state;
      bars.push(state.flvBarredUntilMs / FLV_BAR_MS);
    }
    expect(bars).toEqual([1, 2, 4, 8, 16, 32, 32, 32, 32]);
    expect(FLV_BAR_MAX_MS).toBe(32 * FLV_BAR_MS);
  });

  test('who chose HLS is left with it', () => {
    check(`begin picture ${STEADY_S * 2}s`, 'hls@0 -', 'hls');
    check(`begin picture ${STEADY_S * 2}s`, 'native?@0 -', 'auto', OLD_IPHONE);
  });
});
