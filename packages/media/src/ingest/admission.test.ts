import { describe, expect, test } from 'vitest';
import { AdmissionDesk, type AdmitAnswer } from './admission.ts';
import { FailedPublishGuard } from './failed-publish-guard.ts';
import { appName, readPresentedKey } from './stream-key.ts';

describe('a stream key is found where encoders put it', () => {
  const tcUrl = 'rtmp://host/live';
  test.each([
    [
      'OBS and ffmpeg: in the stream name',
      { app: 'live', tcUrl, streamName: 'demo?key=s3' },
      { playbackId: 'demo', key: 's3' },
    ],
    ['in the app', { app: 'live?key=s3', tcUrl, streamName: 'demo' }, { playbackId: 'demo', key: 's3' }],
    ['in tcUrl', { app: 'live', tcUrl: `${tcUrl}?key=s3`, streamName: 'demo' }, { playbackId: 'demo', key: 's3' }],
    ['escaped', { app: 'live', tcUrl, streamName: 'demo?key=a%2Bb' }, { playbackId: 'demo', key: 'a+b' }],
    ['not at all', { app: 'live', tcUrl, streamName: 'demo' }, { playbackId: 'demo', key: '' }],
    ['under a name that no show has', { app: 'live', tcUrl, streamName: '../etc?key=s3' }, null],
    ['too long', { app: 'live', tcUrl, streamName: `demo?key=${'x'.repeat(300)}` }, null],
  ])('%s', (_name, from, expected) => {
    expect(readPresentedKey(from)).toEqual(expected);
  });

  test('the app is compared without query and slash', () => {
    expect([appName('live'), appName('live/'), appName('live?key=x')]).toEqual(['live', 'live', 'live']);
  });
});

describe('the admission desk', () => {
  const request = { clientId: 'c', ip: '::1', app: 'live', playbackId: 'demo', key: 'good' };
  const accepted: AdmitAnswer = { ok: true, showId: 's' };
  const unreachable: AdmitAnswer = { ok: false, reason: 'unreachable' };

  async function ask(answers: readonly AdmitAnswer[], keys: readonly string[]): Promise<boolean[]> {
    const left = [...answers];
    const desk = new AdmissionDesk(() => Promise.resolve(left.shift() ?? unreachable), 1_000);
    const results: boolean[] = [];
    for (const key of keys) results.push((await desk.ask({ ...request, key })).ok);
    return results;
  }

  test('remembers the last accepted key while nobody can be asked', async () => {
    expect(await ask([accepted], ['good', 'good', 'bad'])).toEqual([true, true, false]);
  });

  test('a rotated key replaces the remembered one', async () => {
    expect(await ask([accepted, accepted], ['old', 'new', 'old', 'new'])).toEqual([true, true, false, true]);
  });

  test('a refusal is a refusal, remembered or not', async () => {
    expect(await ask([accepted, { ok: false, reason: 'wrong_key' }], ['good', 'good'])).toEqual([true, false]);
  });

  test('a refused key is not good again when nobody can be asked', async () => {
    const revoked: AdmitAnswer = { ok: false, reason: 'wrong_key' };
    expect(await ask([accepted, revoked], ['good', 'good', 'good'])).toEqual([true, false, false]);
    const over: AdmitAnswer = { ok: false, reason: 'not_scheduled' };
    expect(await ask([accepted, over], ['good', 'good', 'good'])).toEqual([true, false, false]);
  });

  test('a stranger with a wrong key does not make us forget the good one', async () => {
    const wrong: AdmitAnswer = { ok: false, reason: 'wrong_key' };
    expect(await ask([accepted, wrong], ['good', 'bad', 'good'])).toEqual([true, false, true]);
  });

  test('forgets at its bound the stream that published longest ago', async () => {
    let isReachable = true;
    const desk = new AdmissionDesk(() => Promise.resolve(isReachable ? accepted : unreachable), 1_000);
    for (let index = 0; index <= 1_000; index += 1) await desk.ask({ ...request, playbackId: `show-${index}` });
    isReachable = false;
    const [first, last] = [
      await desk.ask({ ...request, playbackId: 'show-0' }),
      await desk.ask({ ...request, playbackId: 'show-1000' }),
    ];
    expect([first.ok, last.ok]).toEqual([false, true]);
  });
});

describe('S2 the guard against guessing', () => {
  const guardAt = (clock: { ms: number }) =>
    new FailedPublishGuard({ failuresMax: 3, windowMs: 60_000, blockMs: 900_000 }, () => clock.ms);

  test('blocks after the last allowed failure within the window, for its time', () => {
    const clock = { ms: 0 };
    const guard = guardAt(clock);
    expect([guard.recordFailure('1.2.3.4'), guard.recordFailure('1.2.3.4'), guard.recordFailure('1.2.3.4')]).toEqual([
      false,
      false,
      true,
    ]);
    expect([guard.isBlocked('1.2.3.4'), guard.isBlocked('::ffff:1.2.3.4'), guard.isBlocked('1.2.3.5')]).toEqual([
      true,
      true,
      false,
    ]);
    clock.ms = 900_001;
    expect(guard.isBlocked('1.2.3.4')).toBe(false);
  });

  test('failures that are spread out do not block', () => {
    const clock = { ms: 0 };
    const guard = guardAt(clock);
    for (; clock.ms < 600_000; clock.ms += 31_000) guard.recordFailure('1.2.3.4');
    expect(guard.isBlocked('1.2.3.4')).toBe(false);
  });

  test('an IPv6 subscriber is one address whatever the last 64 bits', () => {
    const guard = guardAt({ ms: 0 });
    for (const host of ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::9']) guard.recordFailure(host);
    expect([guard.isBlocked('2001:db8:1:2::77'), guard.isBlocked('2001:db8:1:3::1')]).toEqual([true, false]);
  });
});
