import { FlvDemuxer, type FlvTag, FlvTagType, readFlvAudioHeader, readFlvVideoHeader } from '@showfloor/media-formats';
import { createLogger, createMetrics, type Logger, OutboundGuard } from '@showfloor/service-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CLIP, metricOf, until } from '../../test/plane-under-test.ts';
import { RtmpSink } from '../../test/rtmp-sink.ts';
import { GOP_LIMITS } from '../hub/gop-cache.ts';
import { type SourcePacket, Stream } from '../hub/stream.ts';
import { createMediaMetrics } from '../media-metrics.ts';
import { RESTREAM_LIMITS, Restreamer } from './restreamer.ts';

/** The clip's packets, which a test hands to the stream one by one. */
const packets: SourcePacket[] = [];
new FlvDemuxer({ onTag: (tag) => packets.push(packetOf(tag)) }).push(CLIP);

function packetOf({ typeId, timestampMs, payload }: FlvTag): SourcePacket {
  if (typeId === FlvTagType.script) return { track: 'script', kind: 'other', isKeyframe: false, timestampMs, payload };
  if (typeId === FlvTagType.audio) {
    return { track: 'audio', kind: readFlvAudioHeader(payload).kind, isKeyframe: false, timestampMs, payload };
  }
  const { kind, isKeyframe } = readFlvVideoHeader(payload);
  return { track: 'video', kind, isKeyframe, timestampMs, payload };
}

let sink: RtmpSink;
let stream: Stream;
let restreamer: Restreamer;
let story: string[];
let text: () => Promise<string>;
/** Events of warnings, as they are logged. */
let warnings: unknown[];

beforeEach(async () => {
  sink = await RtmpSink.open();
  stream = new Stream('show-hand', {
    gop: GOP_LIMITS,
    onGopOverflow: () => undefined,
    onUnreadableHeader: () => undefined,
  });
  stream.beginSource();
  story = [];
  warnings = [];
});
afterEach(async () => {
  restreamer.stop();
  await sink[Symbol.asyncDispose]();
});

/** Begins to push the stream, which is on air or not. */
function begin(): void {
  const registry = createMetrics('test');
  text = () => registry.metrics();
  restreamer = new Restreamer(
    stream,
    { id: 't1', url: sink.url() },
    {
      guard: new OutboundGuard({ allowedNetworks: ['127.0.0.1'], allowedPorts: [sink.port] }),
      metrics: createMediaMetrics(registry),
      log: Object.assign(Object.create(createLogger('test', 'silent')) as Logger, {
        warn: (_fields: object, event: string) => warnings.push(event),
      }),
      limits: { ...RESTREAM_LIMITS, backoff: { firstMs: 20, maxMs: 100 } },
      onStatus: ({ state, reason }) => story.push(reason === null ? state : `${state} ${reason}`),
    },
  );
  stream.attach(restreamer);
}

const isKeyframe = (packet: SourcePacket): boolean => packet.kind === 'frames' && packet.isKeyframe;
const firstKeyframe = packets.findIndex(isKeyframe);
const secondKeyframe = packets.findIndex((packet, index) => index > firstKeyframe && isKeyframe(packet));
const push = (from: number, to: number): void => {
  for (const packet of packets.slice(from, to)) stream.push(packet);
};
const accepted = async (): Promise<boolean> => metricOf(await text(), 'media_restream_accepted_total') === 1;

/** As the desk does once a second. */
function isActive(): boolean {
  restreamer.sample(performance.now());
  return story.at(-1) === 'active';
}

describe('one target, packet by packet', () => {
  test('an accepted publish is not active: bytes that flow are', async () => {
    push(0, firstKeyframe);
    stream.goLive();
    push(firstKeyframe, firstKeyframe + 2);
    begin();
    await until('the accepted publish', accepted);
    push(firstKeyframe + 2, secondKeyframe); // no entry for a decoder among these
    restreamer.sample(performance.now());
    expect([story, restreamer.facts.sentBytes, sink.messages.length]).toEqual([['connecting'], 0, 0]);
    push(secondKeyframe, secondKeyframe + 2);
    await until('active', isActive);
    await until('the keyframe', () => sink.pictures().length === 1);
    expect(restreamer.facts.sentBytes).toBeGreaterThan(500);
  });

  test('who begins while the publisher is away waits without connecting, and starts with its first keyframe', async () => {
    push(0, firstKeyframe);
    stream.goLive();
    push(firstKeyframe, firstKeyframe + 5);
    stream.interrupt();
    begin();
    await until('waiting', () => story.at(-1) === 'waiting publisher_away');
    expect([sink.openedAtMs, restreamer.facts.retryInMs]).toEqual([[], null]);
    stream.beginSource();
    stream.goLive();
    await until('the accepted publish', accepted);
    push(secondKeyframe, secondKeyframe + 10);
    await until('active', isActive);
    await until('pictures', () => sink.pictures().length > 1);
    expect(sink.pictures()[0]).toMatchObject({ isKeyframe: true, timestampMs: 0 });
  });

  test('a publisher that leaves before the target has answered is waited for on the open connection', async () => {
    push(0, firstKeyframe);
    stream.goLive();
    begin();
    stream.interrupt();
    await until('the accepted publish', accepted);
    await until('waiting', () => story.at(-1) === 'waiting publisher_away');
    expect(sink.openConnections).toBe(1);
    stream.beginSource();
    stream.goLive();
    push(firstKeyframe, firstKeyframe + 5);
    await until('active', isActive);
    expect(sink.openedAtMs).toHaveLength(1);
  });

  test('a new header of a returning publisher goes on in its place', async () => {
    push(0, firstKeyframe);
    stream.goLive();
    begin();
    await until('the accepted publish', accepted);
    push(firstKeyframe, firstKeyframe + 5);
    const header = packets.find(({ track, kind }) => track === 'video' && kind === 'sequence-header');
    if (header === undefined) throw new Error('the clip has no header');
    const payload = Uint8Array.from(header.payload);
    payload[8] = (payload[8] ?? 0) + 1; // another level
    stream.push({ ...header, payload });
    push(secondKeyframe, secondKeyframe + 1);
    await until('the second keyframe', () => sink.pictures().filter((one) => one.isKeyframe).length === 2);
    const video = sink.messages.filter(({ typeId }) => typeId === FlvTagType.video).map(({ kind }) => kind);
    expect(video.slice(-2)).toEqual(['header', 'frame']);
    expect(video[0]).toBe('header');
  });

  test('a target that takes no more is not called active any longer, well before it is let go', async () => {
    sink.behaviour = 'hangs';
    push(0, firstKeyframe);
    stream.goLive();
    begin();
    await until('the accepted publish', accepted);
    const keyframe = packets[firstKeyframe];
    if (keyframe === undefined) throw new Error('the clip has no keyframe');
    const payload = new Uint8Array(100_000);
    payload.set(keyframe.payload.subarray(0, 5));
    await until('a backlog', () => {
      stream.push({ ...keyframe, payload });
      return restreamer.facts.backlogBytes > 500_000;
    });
    await until('active', isActive);
    const nowMs = performance.now();
    restreamer.sample(nowMs);
    restreamer.sample(nowMs + 4_000);
    expect([story.at(-1), sink.openConnections]).toEqual(['waiting stalled', 1]);
    stream.push({ ...keyframe, payload });
    expect(story.at(-1)).toBe('waiting stalled');
    restreamer.sample(nowMs + 11_000);
    await until('another attempt', () => sink.openedAtMs.length === 2);
    expect(story.slice(0, 3)).toEqual(['connecting', 'active', 'waiting stalled']);
  });

  test('a target that keeps failing for one reason is a line in the log, not one for each attempt', async () => {
    sink.behaviour = 'refuses';
    begin();
    await until('four attempts', () => sink.openedAtMs.length >= 4);
    sink.behaviour = 'good';
    stream.goLive();
    await until('the accepted publish', accepted);
    expect(warnings).toEqual(['restream.broke']);
  });

  test('stop while a connection is being made leaves none behind', async () => {
    sink.behaviour = 'silent';
    begin();
    await until('the connection', () => sink.openConnections === 1);
    restreamer.stop();
    restreamer.stop();
    await until('no connection', () => sink.openConnections === 0);
    expect(story).toEqual(['connecting', 'stopped']);
    stream.push(packets[0] ?? packetOf({ typeId: 18, timestampMs: 0, payload: new Uint8Array() }));
    expect(sink.openedAtMs).toHaveLength(1);
  });
});
