import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Stream } from './stream.ts';
import { type Admission, type HubEvent, type Publication, StreamHub } from './stream-hub.ts';

const GRACE_MS = 1_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const TARGETS = [{ id: 'one', url: 'rtmp://elsewhere/app/secret' }];

function hubWith(cuts: string[] = []) {
  const events: HubEvent[] = [];
  const told: string[] = [];
  const tell =
    (what: string) =>
    (stream: Stream, { restreamTargets, recording }: Admission): void => {
      told.push(`${what} ${stream.state} ${restreamTargets[0]?.id} ${recording.isEnabled}`);
    };
  const hub = new StreamHub({
    onEvent: (event) => events.push(event),
    onStarted: tell('started'),
    onReadmitted: tell('readmitted'),
  });
  const publish = (clientId: string): Publication => {
    const result = hub.publish(
      {
        playbackId: 'show',
        showId: 's',
        graceMs: GRACE_MS,
        restreamTargets: TARGETS,
        recording: { isEnabled: clientId === 'first' },
      },
      { clientId, cut: (reason) => cuts.push(`${clientId} ${reason}`) },
    );
    if (!result.ok) throw new Error(result.reason);
    return result.publication;
  };
  return {
    hub,
    publish,
    told,
    story: () => events.map(({ type, reason }) => (reason === undefined ? type : `${type}: ${reason}`)),
  };
}

function frame(publication: Publication): void {
  publication.push({
    track: 'video',
    kind: 'frames',
    isKeyframe: true,
    timestampMs: 0,
    payload: Uint8Array.of(0x17, 1),
  });
}

test('a publisher admitted in time keeps its place when the window runs out before its first frame', () => {
  const cuts: string[] = [];
  const { publish, story } = hubWith(cuts);
  const first = publish('first');
  frame(first);
  first.end('publisher_closed');
  vi.advanceTimersByTime(GRACE_MS - 1);
  const second = publish('second');
  vi.advanceTimersByTime(GRACE_MS);
  frame(second);
  expect(cuts).toEqual([]);
  expect(story()).toEqual(['started', 'interrupted: publisher_closed', 'resumed']);
  second.end('publisher_closed'); // a new window
  vi.advanceTimersByTime(GRACE_MS - 1);
  expect(story().at(-1)).toBe('interrupted: publisher_closed');
  vi.advanceTimersByTime(1);
  expect(story().at(-1)).toBe('ended: grace_over');
});

test('if that publisher leaves without a frame, the window was over', () => {
  const { hub, publish, story } = hubWith();
  const first = publish('first');
  frame(first);
  first.end('publisher_closed');
  const second = publish('second');
  vi.advanceTimersByTime(GRACE_MS);
  expect(story()).toHaveLength(2);
  second.end('no_media');
  expect(story()).toEqual(['started', 'interrupted: publisher_closed', 'ended: grace_over']);
  expect(hub.list()).toEqual([]);
});

test('a publisher that leaves without a frame within the window changes nothing', () => {
  const { publish, story } = hubWith();
  const first = publish('first');
  frame(first);
  first.end('publisher_closed');
  publish('second').end('no_media');
  vi.advanceTimersByTime(GRACE_MS - 1);
  expect(story()).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(story().at(-1)).toBe('ended: grace_over');
});

test('a hub that closes tells of interruptions only, and nothing after', () => {
  const { hub, publish, story } = hubWith();
  const publication = publish('first');
  frame(publication);
  hub.close();
  publication.end('server_stopping');
  vi.advanceTimersByTime(GRACE_MS);
  expect(story()).toEqual(['started', 'interrupted: server_stopping']);
});

test('what commerce wants done with a show is told when it goes on air, and again when its publisher returns', () => {
  const { publish, told } = hubWith();
  const first = publish('first');
  expect(told).toEqual([]);
  frame(first);
  first.end('publisher_closed');
  const second = publish('second');
  frame(second);
  frame(second);
  expect(told).toEqual(['started live one true', 'readmitted interrupted one false']);
});
