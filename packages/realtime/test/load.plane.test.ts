import { expect, test } from 'vitest';
import { runChatLoad } from '../bench/chat-load.ts';
import { startRig } from './plane-rig.ts';

/** Size and time of the run: small here, `REALTIME_LOAD=5000x200x30` (clients, messages/s, seconds) on demand. */
const [clients = 500, messagesPerSecond = 10, seconds = 3] = (process.env.REALTIME_LOAD ?? '500x10x3')
  .split('x')
  .map(Number);

test(`R1: ${clients} clients in one room, ${messagesPerSecond} messages a second, nothing lost, p95 in bounds`, async () => {
  const rig = await startRig();
  const result = await runChatLoad({ url: rig.url, dataDir: rig.dataDir, clients, messagesPerSecond, seconds });
  expect(result).toMatchObject({ sent: messagesPerSecond * seconds, refused: 0, missing: 0 });
  expect(result.p95Ms).toBeLessThan(clients > 2_000 ? 250 : 100);
  expect(result.p99Ms).toBeLessThan(300);
  expect(await rig.metric('realtime_chat_delivery_seconds')).toBe(result.sent);
  await rig.close();
}, 120_000);
