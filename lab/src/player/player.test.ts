import { describe, expect, test } from 'vitest';
import { MARKS_MAX, Player, type PlayerOutput } from './player.ts';
import { PLAYER_PROFILES, type PlayerProfile } from './player-profile.ts';

const FRAME_MS = 40;

type Run = { player: Player; outputs: PlayerOutput[]; stalls: Extract<PlayerOutput, { type: 'stall' }>[] };

/** Frames of a 25 fps stream with a keyframe each second; `arrival` says when each reaches the player. */
function play(profile: PlayerProfile, frames: number, arrival: (dtsMs: number) => number, lagMs = 0): Run {
  const outputs: PlayerOutput[] = [];
  const player = new Player(profile, (output) => outputs.push(output));
  player.request(0);
  for (let index = 0; index < frames; index += 1) {
    const dtsMs = index * FRAME_MS;
    player.media(arrival(dtsMs), { track: 'video', dtsMs, isKeyframe: index % 25 === 0 }, lagMs);
  }
  return { player, outputs, stalls: outputs.filter((output) => output.type === 'stall') };
}

const { strict, 'mpegts.js': mpegts } = PLAYER_PROFILES;

describe('startup', () => {
  test('is counted from the request to the first picture and is not a stall', () => {
    const { player, stalls } = play(mpegts, 100, (dtsMs) => 700 + dtsMs);
    // 100 ms of media are there with the third frame.
    expect(player.totals.startupMs).toBeCloseTo(780, 3);
    expect(player.totals.stallCount).toBe(0);
    expect(stalls).toEqual([]);
  });

  test('nothing before the first keyframe is played', () => {
    const player = new Player(strict, () => {});
    player.request(0);
    player.media(10, { track: 'video', dtsMs: 0, isKeyframe: false }, 0);
    player.media(50, { track: 'audio', dtsMs: 40, isKeyframe: false }, 0);
    expect(player.state).toBe('starting');
    player.media(90, { track: 'video', dtsMs: 80, isKeyframe: true }, 0);
    expect(player.state).toBe('playing');
  });

  test('a stream that never comes never starts', () => {
    const player = new Player(mpegts, () => {});
    player.request(0);
    player.end(10_000);
    expect(player.totals).toMatchObject({ startupMs: null, watchedMs: 10_000, playedMs: 0, stalledMs: 0 });
  });
});

describe('stalls', () => {
  test.each([500, 2000, 4000])('a server that is silent for %d ms stalls the strict player that long', (silentMs) => {
    const { stalls } = play(strict, 500, (dtsMs) => 100 + dtsMs + (dtsMs >= 8000 ? silentMs : 0));
    expect(stalls).toHaveLength(1);
    expect(Math.abs((stalls[0]?.durationMs ?? 0) - silentMs)).toBeLessThanOrEqual(100);
  });

  test('what is buffered is played first', () => {
    // A second of media comes at once (GOP cache), then real time: 960 ms of the silence go unnoticed.
    const { stalls } = play(mpegts, 500, (dtsMs) => Math.max(100, dtsMs - 900) + (dtsMs >= 8000 ? 2000 : 0));
    expect(stalls).toHaveLength(1);
    expect(stalls[0]?.durationMs).toBeGreaterThan(1050);
    expect(stalls[0]?.durationMs).toBeLessThan(1250);
  });

  test('a stall shorter than the lag of the generator is tainted', () => {
    const late = (dtsMs: number): number => dtsMs + (dtsMs >= 4000 ? 150 : 0);
    expect(play(strict, 200, late, 200).stalls.map((stall) => stall.isTainted)).toEqual([true]);
    expect(play(strict, 200, late, 20).stalls.map((stall) => stall.isTainted)).toEqual([false]);
  });

  test('late timers change nothing: state is integrated between timestamps', () => {
    const arrival = (dtsMs: number): number => dtsMs + (dtsMs >= 3000 ? 1000 : 0);
    const ticking = (everyMs: number): unknown => {
      const player = new Player(strict, () => {});
      player.request(0);
      for (let dtsMs = 0, tickMs = 0; dtsMs < 10_000; dtsMs += FRAME_MS) {
        for (; tickMs < arrival(dtsMs); tickMs += everyMs) player.advance(tickMs);
        player.media(arrival(dtsMs), { track: 'video', dtsMs, isKeyframe: dtsMs === 0 }, 0);
      }
      const { watchedMs, playedMs, stalledMs, stallCount } = player.totals;
      return [watchedMs, playedMs, stalledMs].map((value) => Math.round(value * 1000)).concat(stallCount);
    };
    expect(ticking(7)).toEqual(ticking(100_000));
  });

  test('played, stalled and startup add up to what was watched', () => {
    const { player } = play(mpegts, 1000, (dtsMs) => 300 + dtsMs + (dtsMs > 20_000 ? 3000 : 0));
    const { watchedMs, playedMs, stalledMs, startupMs } = player.totals;
    expect(playedMs + stalledMs + (startupMs ?? 0)).toBeCloseTo(watchedMs, 3);
  });

  test('an open stall counts when the viewer leaves', () => {
    const { player, outputs } = play(strict, 50, (dtsMs) => dtsMs);
    player.end(7000);
    expect(Math.abs(player.totals.stalledMs - 5000)).toBeLessThan(40);
    expect(outputs.at(-1)).toMatchObject({ type: 'stall', cause: 'starved' });
  });
});

describe('timestamps', () => {
  test('a hole is a stall as long as the hole, unless the profile jumps it', () => {
    const feed = (profile: PlayerProfile): Run => {
      const outputs: PlayerOutput[] = [];
      const player = new Player(profile, (output) => outputs.push(output));
      player.request(0);
      for (let index = 0; index < 200; index += 1) {
        const dtsMs = index * FRAME_MS + (index >= 100 ? 3000 : 0);
        player.media(index * FRAME_MS, { track: 'video', dtsMs, isKeyframe: true }, 0);
      }
      return { player, outputs, stalls: outputs.filter((output) => output.type === 'stall') };
    };
    const stalled = feed(mpegts);
    expect(stalled.stalls).toHaveLength(1);
    expect(stalled.stalls[0]).toMatchObject({ cause: 'gap' });
    expect(stalled.stalls[0]?.durationMs).toBeCloseTo(3000, 0);
    const jumped = feed({ ...mpegts, onGap: 'jump' });
    expect(jumped.stalls).toEqual([]);
    expect(jumped.player.totals.jumpedMs).toBeCloseTo(3000, 0);
  });

  test('a jump back is reported and freezes the picture', () => {
    const results: string[] = [];
    const player = new Player(strict, () => {});
    player.request(0);
    for (let index = 0; index < 100; index += 1) {
      const dtsMs = index < 50 ? 10_000 + index * FRAME_MS : (index - 50) * FRAME_MS;
      results.push(player.media(index * FRAME_MS, { track: 'video', dtsMs, isKeyframe: true }, 0));
    }
    expect(results.filter((result) => result === 'regression')).toHaveLength(50);
    expect(player.state).toBe('rebuffering');
  });

  test('a reconnect starts over with the next keyframe and counts the wait as a stall', () => {
    const { player, stalls, outputs } = play(strict, 50, (dtsMs) => dtsMs);
    player.reconnect(1960);
    player.media(2900, { track: 'video', dtsMs: 60_000, isKeyframe: true }, 0);
    expect(stalls).toEqual([]);
    expect(outputs.at(-1)).toMatchObject({ type: 'stall', cause: 'reconnect', durationMs: 940 });
  });
});

describe('live', () => {
  test('mpegts.js plays faster until the target is left, without a jump', () => {
    const { player } = play(mpegts, 1500, (dtsMs) => Math.max(0, dtsMs - 3000));
    expect(player.bufferMs).toBeGreaterThan(700);
    expect(player.bufferMs).toBeLessThan(1300);
    expect(player.totals.jumpedMs).toBe(0);
  });

  test('latency is read when the playhead passes the frame, not when it arrives', () => {
    const passed: number[] = [];
    const player = new Player(strict, (output) => output.type === 'passed' && passed.push(output.atMs));
    player.request(0);
    for (let index = 0; index < 50; index += 1) {
      const dtsMs = index * FRAME_MS;
      if (dtsMs === 1000) player.mark(dtsMs, 1);
      player.media(dtsMs / 2 + 100, { track: 'video', dtsMs, isKeyframe: index === 0 }, 0);
    }
    player.advance(3000);
    expect(passed).toEqual([1100]);
  });

  test('marks that wait are bounded: the oldest are forgotten', () => {
    const passed: number[] = [];
    const player = new Player(strict, (output) => output.type === 'passed' && passed.push(output.mark));
    player.request(0);
    for (let index = 0; index <= MARKS_MAX; index += 1) player.mark(index, index);
    player.media(0, { track: 'video', dtsMs: 0, isKeyframe: true }, 0);
    player.media(0, { track: 'video', dtsMs: 400, isKeyframe: false }, 0);
    player.media(0, { track: 'video', dtsMs: 800, isKeyframe: false }, 0);
    player.advance(700);
    expect([passed.length, passed[0]]).toEqual([MARKS_MAX, 1]);
  });

  test('six hours of a viewer take seconds, and every stall is found', () => {
    const hours = 6;
    const startedMs = performance.now();
    // 25 fps for six hours, two seconds of silence every ten minutes.
    const { stalls } = play(strict, hours * 3600 * 25, (dtsMs) => dtsMs + Math.floor(dtsMs / 600_000) * 2000);
    expect(stalls).toHaveLength(hours * 6 - 1);
    expect(stalls.every((stall) => Math.abs(stall.durationMs - 2000) <= 100)).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});
