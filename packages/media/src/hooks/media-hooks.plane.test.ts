import { expect, test } from 'vitest';
import { HookReceiver, hookKit, SECRET } from '../../test/hook-receiver.ts';
import { until } from '../../test/plane-under-test.ts';
import { HookPoster, type MediaHook, TOLD_ACTIONS, type ToldAction } from './media-hooks.ts';

const hook = (action: ToldAction, client = 'c1'): MediaHook => ({
  action,
  client_id: client,
  ip: '192.0.2.7',
  app: 'live',
  stream: 'demo',
});

async function poster(
  receiver: HookReceiver,
  options: { wanted?: readonly ToldAction[]; limits?: ConstructorParameters<typeof HookPoster>[0]['limits'] } = {},
) {
  const kit = hookKit();
  const { wanted = TOLD_ACTIONS, limits } = options;
  const hooks = new HookPoster({
    baseUrl: await receiver.listen(),
    secret: SECRET,
    wanted: new Set(wanted),
    metrics: kit.metrics,
    log: kit.log,
    ...(limits === undefined ? {} : { limits }),
  });
  return { hooks, text: kit.text };
}

test("each hook goes to its own path, signed, in SRS's words", async () => {
  await using receiver = new HookReceiver();
  const { hooks } = await poster(receiver);
  for (const action of TOLD_ACTIONS) hooks.send(hook(action));
  await until('all', () => receiver.bodies.length === 4);
  expect(receiver.paths.toSorted()).toEqual(TOLD_ACTIONS.map((action) => `/hook/${action}`).toSorted());
  expect(receiver.signatures).toEqual([true, true, true, true]);
  expect(JSON.parse(receiver.bodies[0] ?? '')).toEqual({ ...hook('on_unpublish'), action: expect.any(String) });
});

test('hooks that nobody wants are not sent', async () => {
  await using receiver = new HookReceiver();
  const { hooks } = await poster(receiver, { wanted: ['on_stop'] });
  for (const action of TOLD_ACTIONS) hooks.send(hook(action));
  await hooks.drain(5_000);
  expect(receiver.paths).toEqual(['/hook/on_stop']);
});

test('ten thousand viewers who join at once: four questions at a time, a bounded queue, the rest counted', async () => {
  await using receiver = new HookReceiver();
  receiver.answer = null; // commerce hangs
  const { hooks, text } = await poster(receiver);
  const beganMs = performance.now();
  for (let index = 0; index < 10_000; index += 1) hooks.send(hook('on_play', `c${index}`));
  expect(performance.now() - beganMs).toBeLessThan(500); // nobody waited
  await until('the first', () => receiver.bodies.length === 4);
  expect(await text()).toContain('media_hook_posts_total{action="on_play",outcome="dropped_full",service="test"} 8996');
  expect(await text()).toContain('media_hook_queue_length{lane="viewers",service="test"} 1000');
  hooks.send(hook('on_unpublish')); // has its own lane
  await until('the publisher', () => receiver.paths.includes('/hook/on_unpublish'));
  expect(receiver.bodies).toHaveLength(5);
  await hooks.drain(50);
  expect(await text()).toContain('media_hook_queue_length{lane="viewers",service="test"} 0');
});

test('a hook about a publisher is tried again, one about a viewer is not', async () => {
  await using receiver = new HookReceiver();
  receiver.answer = { status: 503, body: '' };
  const { hooks, text } = await poster(receiver, { limits: { publishers: { retryAfterMs: [5, 5] } } });
  hooks.send(hook('on_dvr'));
  hooks.send(hook('on_play'));
  await until('the tries', () => receiver.bodies.length === 4);
  await until('the end', async () => (await text()).includes('action="on_dvr",outcome="failed"'));
  expect(receiver.paths.filter((path) => path.endsWith('on_dvr'))).toHaveLength(3);
});

test('at the stop what waits is still sent, without waiting for the next retry', async () => {
  await using receiver = new HookReceiver();
  receiver.answer = { status: 503, body: '' };
  const { hooks, text } = await poster(receiver, { limits: { publishers: { retryAfterMs: [60_000] } } });
  hooks.send(hook('on_unpublish'));
  await until('the first try', () => receiver.bodies.length === 1);
  receiver.answer = { status: 200, body: '{"code":0}' };
  hooks.send(hook('on_dvr'));
  await hooks.drain(5_000);
  expect(receiver.paths.toSorted()).toEqual(['/hook/on_dvr', '/hook/on_unpublish', '/hook/on_unpublish']);
  hooks.send(hook('on_dvr'));
  expect(await text()).toContain('media_hook_posts_total{action="on_dvr",outcome="dropped_stopping",service="test"} 1');
});
