import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { HookReceiver, hookKit, SECRET } from '../../test/hook-receiver.ts';
import { metricOf, until } from '../../test/plane-under-test.ts';
import type { HubEvent } from '../hub/stream-hub.ts';
import { EventCourier } from './event-courier.ts';
import { HEARTBEAT_INTERVAL_MS, startHeartbeat } from './heartbeat.ts';
import { createPublishHook } from './publish-hook.ts';
import { toStreamEvent } from './stream-event.ts';

const SHOW = '0b1f5a52-5d7e-4f0c-9a53-1f1f5d9c0001';

describe('the publish hook', () => {
  const request = { clientId: 'c1', ip: '127.0.0.1', app: 'live', playbackId: 'demo', key: 's3&cret' };
  const admitted = JSON.stringify({ code: 0, data: { showId: SHOW, playbackId: 'demo', graceMs: 90_000 } });

  test.each([
    ['an admitted key', { status: 200, body: admitted }, { ok: true, showId: SHOW, graceMs: 90_000 }],
    [
      'an admitted key with what is to be done',
      {
        status: 200,
        body: JSON.stringify({
          code: 0,
          data: {
            showId: SHOW,
            playbackId: 'demo',
            graceMs: 1,
            restreamTargets: [{ id: 'one', url: 'rtmps://elsewhere.test/app/key' }],
            recording: { isEnabled: true },
            fromTheFuture: 1,
          },
        }),
      },
      {
        ok: true,
        showId: SHOW,
        graceMs: 1,
        restreamTargets: [{ id: 'one', url: 'rtmps://elsewhere.test/app/key' }],
        recording: { isEnabled: true },
      },
    ],
    ['a wrong key', { status: 200, body: '{"code":1,"reason":"wrong_key"}' }, { ok: false, reason: 'wrong_key' }],
    ['a refusal without a reason', { status: 200, body: '{"code":7}' }, { ok: false, reason: 'wrong_key' }],
    ['an admission without a show', { status: 200, body: '{"code":0}' }, { ok: false, reason: 'unreachable' }],
    ['a failing commerce', { status: 503, body: '' }, { ok: false, reason: 'unreachable' }],
    ['nonsense', { status: 200, body: '<html>' }, { ok: false, reason: 'unreachable' }],
    ['silence', null, { ok: false, reason: 'unreachable' }],
  ])('%s', async (_name, answer, expected) => {
    await using receiver = new HookReceiver();
    receiver.answer = answer;
    const admit = createPublishHook({ url: await receiver.listen(), secret: SECRET, ...hookKit(), timeoutMs: 300 });
    expect(await admit(request)).toEqual(expected);
    expect(receiver.signatures).toEqual([true]);
    expect(JSON.parse(receiver.bodies[0] ?? '')).toEqual({
      action: 'on_publish',
      client_id: 'c1',
      ip: '127.0.0.1',
      app: 'live',
      stream: 'demo',
      param: '?key=s3%26cret',
    });
  });

  test('nobody there', async () => {
    const admit = createPublishHook({ url: 'http://127.0.0.1:1/hook', secret: SECRET, ...hookKit(), timeoutMs: 300 });
    expect(await admit(request)).toEqual({ ok: false, reason: 'unreachable' });
  });
});

describe('the event courier', () => {
  const event = (type: HubEvent['type'], reason?: string) =>
    toStreamEvent({
      type,
      playbackId: 'demo',
      sessionId: 's',
      showId: SHOW,
      atMs: 1,
      ...(reason === undefined ? {} : { reason }),
    });

  test('delivers in order and at least once, with the same id on every try', async () => {
    await using receiver = new HookReceiver();
    receiver.answer = { status: 503, body: '' };
    const { metrics, log, text } = hookKit();
    const url = await receiver.listen();
    const courier = new EventCourier({ name: 'commerce', url }, { secret: SECRET, metrics, log, retryFirstMs: 10 });
    courier.send(event('started'));
    courier.send(event('interrupted', 'silent'));
    await until('two tries', () => receiver.bodies.length >= 2);
    receiver.answer = { status: 200, body: '{}' };
    await until('an empty queue', () => courier.queueLength === 0);
    const received = receiver.bodies.map((body) => JSON.parse(body) as { id: string; type: string });
    expect(new Set(received.slice(0, -1).map((one) => one.id)).size).toBe(1);
    expect(received.at(-1)?.type).toBe('stream.interrupted');
    expect(receiver.signatures.every(Boolean)).toBe(true);
    expect(await text()).toContain('outcome="delivered",service="test"} 2');
    courier.close();
  });

  test('an event that is refused for good does not stop the next', async () => {
    await using receiver = new HookReceiver();
    receiver.answer = { status: 422, body: '' };
    const { metrics, log } = hookKit();
    const url = await receiver.listen();
    const courier = new EventCourier({ name: 'commerce', url }, { secret: SECRET, metrics, log, retryFirstMs: 10 });
    courier.send(event('started'));
    courier.send(event('ended'));
    await until('an empty queue', () => courier.queueLength === 0);
    expect(receiver.bodies).toHaveLength(2);
    courier.close();
  });

  test('the queue is bounded: the oldest go, counted', async () => {
    const { metrics, log, text } = hookKit();
    const target = { name: 'commerce', url: 'http://127.0.0.1:1/' };
    const courier = new EventCourier(target, { secret: SECRET, metrics, log, retryFirstMs: 60_000 });
    for (let index = 0; index < 1_005; index += 1) courier.send(event('started'));
    await sleep(0);
    expect(courier.queueLength).toBe(1_000);
    expect(metricOf(await text(), 'media_event_queue_length')).toBe(1_000);
    expect(await text()).toContain(
      'media_event_deliveries_total{target="commerce",outcome="dropped_full",service="test"} 5',
    );
    courier.close();
  });

  test('at the stop, what is queued still goes out, whatever the backoff', async () => {
    await using receiver = new HookReceiver();
    receiver.answer = { status: 503, body: '' };
    const { metrics, log } = hookKit();
    const url = await receiver.listen();
    const courier = new EventCourier({ name: 'commerce', url }, { secret: SECRET, metrics, log, retryFirstMs: 60_000 });
    courier.send(event('started'));
    courier.send(event('interrupted', 'server_stopping'));
    await until('the first try', () => receiver.bodies.length === 1);
    receiver.answer = { status: 200, body: '{}' };
    await courier.drain(5_000);
    const types = receiver.bodies.map((body) => (JSON.parse(body) as { type: string }).type);
    expect(types).toEqual(['stream.started', 'stream.started', 'stream.interrupted']);
    expect(courier.queueLength).toBe(0);
  });

  test.each([
    ['that is silent is waited for no longer than it may take', null, 250, 2_000],
    ['that is gone is not waited for', 'gone' as const, 0, 2_000],
  ])('at the stop, a target %s', async (_name, answer, leastMs, mostMs) => {
    await using receiver = new HookReceiver();
    const { metrics, log, text } = hookKit();
    receiver.answer = null;
    const url = answer === 'gone' ? 'http://127.0.0.1:1/' : await receiver.listen();
    const courier = new EventCourier({ name: 'commerce', url }, { secret: SECRET, metrics, log, retryFirstMs: 10 });
    courier.send(event('interrupted'));
    const beganMs = performance.now();
    await courier.drain(answer === 'gone' ? 60_000 : 300);
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(leastMs);
    expect(performance.now() - beganMs).toBeLessThan(mostMs);
    expect(await text()).toContain(
      'media_event_deliveries_total{target="commerce",outcome="dropped_stopping",service="test"} 1',
    );
  });
});

test('the heartbeat comes at once and again and again, signed, with the facts of the moment', async () => {
  await using receiver = new HookReceiver();
  let beats = 0;
  const summaries = () => {
    beats += 1;
    return { beats };
  };
  const stop = startHeartbeat({ url: await receiver.listen(), secret: SECRET, summaries, intervalMs: 20 });
  await until('three', () => receiver.bodies.length >= 3);
  stop();
  expect(receiver.signatures.every(Boolean)).toBe(true);
  const facts = receiver.bodies.slice(0, 3).map((body) => JSON.parse(body) as unknown);
  expect(facts).toMatchObject(
    [1, 2, 3].map((count) => ({ device_id: expect.any(String), summaries: { beats: count } })),
  );
  expect(HEARTBEAT_INTERVAL_MS).toBe(9_900);
});
