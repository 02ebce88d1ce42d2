import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { LiveEvent } from './live-events.ts';
import { MediaHookRequest } from './media-hooks.ts';
import { CHAT_MESSAGE_CHARS_MAX, ChatSend } from './socket-messages.ts';

const SHOW_ID = '0195c1d2-7a55-7b2e-8a53-3f8f6c1f2a10';
const started = {
  id: 'evt_0001',
  version: 1,
  type: 'stream.started',
  playbackId: 'demo',
  atMs: 1_700_000_000_000,
  data: { showId: SHOW_ID, sessionId: 's1' },
};

test('a live event is one of the known kinds, version 1', () => {
  const events = Compile(LiveEvent);
  expect(events.Check(started)).toBe(true);
  expect(events.Check({ ...started, version: 2 })).toBe(false);
  expect(events.Check({ ...started, type: 'stream.exploded' })).toBe(false);
  expect(events.Check({ ...started, playbackId: '../etc' })).toBe(false);
  expect(events.Check({ ...started, data: { sessionId: 's1' } })).toBe(false);
});

test('fields added later do not make an event unreadable (version 1 grows additively)', () => {
  const events = Compile(LiveEvent);
  expect(events.Check({ ...started, region: 'eu', data: { ...started.data, codec: 'hevc' } })).toBe(true);
});

test("the publish hook reads SRS's own request", () => {
  // Field names as in SRS's HTTP callback documentation.
  const request = {
    action: 'on_publish',
    client_id: '9308h583',
    ip: '192.168.1.10',
    vhost: '__defaultVhost__',
    app: 'live',
    stream: 'demo',
    param: '?key=secret',
    server_id: 'vid-werty',
    stream_url: 'video.test.com/live/demo',
    stream_id: 'vid-124q9y3',
  };
  expect(Compile(MediaHookRequest).Check(request)).toBe(true);
});

test('a chat message has a bounded length', () => {
  const chat = Compile(ChatSend);
  const message = (chars: number) => ({ liveId: 'demo', clientId: 'c-12345678', message: 'x'.repeat(chars) });
  expect(chat.Check(message(CHAT_MESSAGE_CHARS_MAX))).toBe(true);
  expect(chat.Check(message(CHAT_MESSAGE_CHARS_MAX + 1))).toBe(false);
  expect(chat.Check(message(0))).toBe(false);
});
