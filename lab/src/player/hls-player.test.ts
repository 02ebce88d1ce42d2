import { describe, expect, test } from 'vitest';
import { simulate } from '../../test/simulated-hls.ts';
import { readHlsList } from './hls-list.ts';
import { HlsPlayer, type HlsPlayerFact } from './hls-player.ts';
import { HLS_PROFILES, type HlsProfile } from './hls-profile.ts';
import type { PlayerInput } from './player-input.ts';
import { PLAYER_INPUT_EVENT, RecordingError, replayViewer } from './replay-viewer.ts';

/**
 * One list as a word: `7:abc` is segments a, b, c of a second each from number 7; capitals begin a discontinuity, `_` is a gap,
 * a digit after a letter lists that many parts of it (the last one only, which is then not whole).
 */
function list(word: string): string {
  const [first = '', names = ''] = word.split(':');
  const lines = ['#EXTM3U', '#EXT-X-TARGETDURATION:1', `#EXT-X-MEDIA-SEQUENCE:${first}`];
  if (/\d$/.test(names)) {
    lines.push('#EXT-X-PART-INF:PART-TARGET=0.2', '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.6');
  }
  for (const [, name = '', parts] of names.matchAll(/([a-zA-Z_])(\d?)/g)) {
    if (name !== name.toLowerCase()) lines.push('#EXT-X-DISCONTINUITY');
    for (let part = 0; part < Number(parts ?? 0); part += 1) {
      lines.push(`#EXT-X-PART:DURATION=0.2,URI="${name}${part}"${part === 0 ? ',INDEPENDENT=YES' : ''}`);
    }
    if (name === '_') lines.push('#EXT-X-GAP');
    if (parts === '') lines.push('#EXTINF:1,', name);
  }
  return lines.join('\n');
}

/** Gives the player one list per second, answers every request at once (`missing` with 404), and says what it did. */
function follow(profile: HlsProfile['name'], isLowLatency: boolean, lists: string, missing = ''): string {
  const words: string[] = [];
  const say = (fact: HlsPlayerFact): void => {
    if (fact.type === 'skip') words.push(`[${fact.cause} ${fact.mediaMs / 1000}s]`);
    else if (fact.type === 'regression' || fact.type === 'renumbered') words.push(`[${fact.type} ${fact.by}]`);
    else if (fact.type === 'discontinuity') words.push('[new]');
  };
  const player = new HlsPlayer({ profile: HLS_PROFILES[profile], isLowLatency, onOutput: () => {}, onFact: say }, 0);
  player.player.request(0);
  for (const [second, word] of lists.split(' ').entries()) {
    player.listSent(second * 1000);
    player.onList(second * 1000 + 1, readHlsList(list(word)), 0);
    const atMs = second * 1000 + 2;
    for (let request = player.nextMedia(); request !== null; request = player.nextMedia()) {
      if (request.dueAtMs > atMs) break; // a retry that is not due yet
      words.push(request.uri);
      player.mediaSent(request);
      if (missing.includes(request.uri)) player.onMediaFailed({ atMs, isMissing: true });
      else player.onMedia(atMs, null, 0);
    }
  }
  return words.join(' ');
}

function check(
  profile: HlsProfile['name'],
  mode: 'classic' | 'low-latency',
  lists: string,
  does: string,
  missing = '',
) {
  expect(follow(profile, mode === 'low-latency', lists, missing)).toBe(does);
}

describe('which fragment comes next', () => {
  test('starts by the hold-back, then follows', () => {
    //    profile     mode        lists, one per second                          fetched
    check('hls.js', 'classic', '7:abcd 8:bcde 9:cdef', 'b c d e f');
    check('strict', 'classic', '7:abcd 8:bcde 9:cdef', 'd e f');
    check('hls.js', 'classic', '7:ab 7:abc 7:abcd', 'a b c d');
  });

  test('low latency: parts from the newest that is independent before PART-HOLD-BACK', () => {
    check('hls.js', 'low-latency', '7:abc4 7:abc5 7:abcd1', 'c0 c1 c2 c3 c4 d0');
    check('hls.js', 'low-latency', '7:abc2 7:abc3', 'b c0 c1 c2');
    check('strict', 'low-latency', '7:abc2 7:abc3', 'c0 c1 c2');
    check('hls.js', 'classic', '7:abc4 7:abc5 7:abcd1', 'a b c');
  });

  test('a window that has moved on is a skip; how much is lost is told', () => {
    check('hls.js', 'classic', '1:abcd 4:defg 6:fghi', 'b c d e f g h i');
    check('strict', 'classic', '1:abcd 6:fghi', 'd [server_jump 1s] f g h i');
    check('hls.js', 'classic', '1:abcd 9:hijk', 'b c d [server_jump 5s] i j k');
  });

  test('numbers that are skipped, repeated or go back are told by name', () => {
    check('strict', 'classic', '1:abcd 3:bcde', 'd [renumbered 1] d e');
    check('strict', 'classic', '1:abcd 1:bcde', 'd [renumbered -1]');
    check('strict', 'classic', '5:abcd 2:efgh', 'd [regression 3] [regression 0s] h');
    check('hls.js', 'classic', '5:abcd 4:abcd 6:bcde', 'b c d [regression 1] e');
    check('hls.js', 'classic', '50:abcd 1:wxyz 2:xyzu', 'b c d [regression 49] [regression 48]');
    const restarted = 'b c d [regression 49] [regression 48] [regression 47] [regression 0s] z u v';
    check('hls.js', 'classic', '50:abcd 1:wxyz 2:xyzu 3:yzuv', restarted);
  });

  test('what is missing is left out, once more asked for only by those who do', () => {
    check('hls.js', 'classic', '1:abcd 2:bcde', 'b c [missing 1s] d e', 'c');
    check('native', 'classic', '1:abcd 2:bcde', 'b c c [missing 1s] d e', 'c');
    check('hls.js', 'classic', '1:ab_d 2:b_de', 'b [gap 1s] d e');
  });

  test('a discontinuity is counted once', () => {
    check('hls.js', 'classic', '1:abCd 2:bCde', 'b C [new] d e');
  });
});

describe('a session in virtual time', () => {
  test('a low-latency player opens with the list, the init segment and a part, then waits for what is next', () => {
    const { opening, totals } = simulate({ profile: 'native', isLowLatency: true, durationMs: 5000 });
    expect(opening.slice(0, 9)).toEqual([
      'list', 'init', 'list?120.1', '119.0', '119.1', '119.2', '119.3', '119.4', '120.0',
    ]); // biome-ignore format: a table
    expect(opening).toContain('120.1!'); // announced, and asked for before it is there
    const media = opening.map((word) => word.replace('!', '')).filter((word) => !word.startsWith('list'));
    expect(new Set(media).size).toBe(media.length);
    expect(totals.startupMs).toBeLessThan(100);
    expect(totals.stallCount).toBe(0);
  });

  test.each([
    ['hls.js', false],
    ['hls.js', true],
    ['native', true],
    ['native', false],
  ] as const)(
    '%s (low latency: %s) plays a healthy stream without a stall, and asks as rarely as it must',
    (profile, isLowLatency) => {
      const { totals, tooEarly, answers, facts } = simulate({ profile, isLowLatency, durationMs: 60_000 });
      expect(totals.stallCount).toBe(0);
      expect(totals.playedMs).toBeGreaterThan(59_000);
      expect(tooEarly).toBe(0);
      expect(answers.filter(({ isNewlyStale, isUnmet }) => isNewlyStale || isUnmet)).toEqual([]);
      expect(facts).toEqual([]);
    },
  );

  test('a silence of four seconds: the stall is what the buffer does not cover', () => {
    const silences = [{ atMs: 20_000, forMs: 4000 }];
    const classic = simulate({ profile: 'hls.js', isLowLatency: false, durationMs: 60_000, silences });
    expect(classic.stalls).toHaveLength(1);
    expect(classic.stalls[0]?.durationMs).toBeGreaterThan(500);
    expect(classic.stalls[0]?.durationMs).toBeLessThan(3500);
    expect(classic.answers.filter(({ isNewlyStale }) => isNewlyStale)).toHaveLength(1);
    const low = simulate({ profile: 'strict', isLowLatency: true, durationMs: 60_000, silences });
    const long = low.stalls.filter(({ durationMs }) => durationMs > 1000);
    expect(long).toHaveLength(1);
    expect(Math.abs((long[0]?.durationMs ?? 0) - 4000)).toBeLessThanOrEqual(250); // a part may be on its way
    expect(Math.max(...low.answers.map(({ overrunMs }) => overrunMs ?? 0))).toBeGreaterThan(3500);
  });

  test('the same events give the same session', () => {
    const watch = () =>
      simulate({ profile: 'strict', isLowLatency: true, durationMs: 120_000, silences: [{ atMs: 9000, forMs: 1500 }] });
    expect(watch()).toEqual(watch());
  });

  test.each([false, true])(
    'six hours (low latency: %s) take seconds, every stall is found, memory stays flat',
    (isLowLatency) => {
      const silences = Array.from({ length: 35 }, (_, index) => ({ atMs: (index + 1) * 600_000, forMs: 20_000 }));
      const hour = 3_600_000;
      simulate({ profile: 'hls.js', isLowLatency, durationMs: hour / 4, silences }); // warm
      const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});
      collect();
      const heapBefore = process.memoryUsage().heapUsed;
      const startedMs = performance.now();
      const { stalls, totals } = simulate({ profile: 'hls.js', isLowLatency, durationMs: 6 * hour, silences });
      expect(performance.now() - startedMs).toBeLessThan(30_000);
      expect(stalls).toHaveLength(35);
      expect(totals.watchedMs).toBe(6 * hour);
      expect(totals.playedMs + totals.stalledMs + (totals.startupMs ?? 0)).toBeCloseTo(totals.watchedMs, 0);
      collect();
      expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(30_000_000);
    },
    60_000,
  );
});

describe('a recorded viewer', () => {
  test('plays again to the exact stall', () => {
    const lines: string[] = [];
    const record = (input: PlayerInput): void => {
      lines.push(JSON.stringify({ name: PLAYER_INPUT_EVENT, vu: 3, atMs: 0, detail: { profile: 'strict', ...input } }));
      lines.push(JSON.stringify({ name: 'stall', vu: 3, atMs: 0, detail: {} })); // another event of the run
    };
    const silences = [{ atMs: 20_000, forMs: 4000 }];
    const { stalls, totals } = simulate({
      profile: 'strict',
      isLowLatency: true,
      durationMs: 40_000,
      silences,
      record,
    });
    const [session, ...others] = replayViewer(lines);
    expect(others).toEqual([]);
    expect(session).toMatchObject({ vu: 3, profile: 'strict' });
    expect(session?.stalls.map(({ durationMs }) => durationMs)).toEqual(stalls.map(({ durationMs }) => durationMs));
    expect(session?.totals).toEqual(totals);
  });

  test.each([
    ['no JSON', 'x'],
    ['an input that is none', '{"name":"player_input","vu":1,"detail":{"profile":"strict","type":"seek","atMs":1}}'],
    ['a profile nobody knows', '{"name":"player_input","vu":1,"detail":{"profile":"x","type":"request","atMs":1}}'],
    ['no request before', '{"name":"player_input","vu":1,"detail":{"profile":"strict","type":"end","atMs":1}}'],
  ])('%s is refused with its line', (_name, line) => {
    expect(() => replayViewer(['', line])).toThrow(RecordingError);
    expect(() => replayViewer(['', line])).toThrow('line 2');
  });
});
