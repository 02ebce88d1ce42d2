import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FlvDemuxer, FlvTagType, readFlvVideoHeader } from '@showfloor/media-formats';
import { createMetrics } from '@showfloor/service-kit';
import { expect, test } from 'vitest';
import { GOP_LIMITS } from '../hub/gop-cache.ts';
import { Stream } from '../hub/stream.ts';
import { createMediaMetrics } from '../media-metrics.ts';
import { FlvFanOut } from './flv-fan-out.ts';
import { FlvViewer, VIEWER_LIMITS } from './flv-viewer.ts';

const PICTURE_BYTES = 10_000;
const LETTERS = { K: [0x17, true], p: [0x27, false] } as const;

/** A viewer's end: takes bytes only while it is draining. */
class Sink extends Writable {
  isDraining = true;
  readonly #received: Buffer[] = [];
  #held: (() => void)[] = [];

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.#received.push(bytes);
    if (this.isDraining) done();
    else this.#held.push(done);
  }

  drain(): void {
    this.isDraining = true;
    const held = this.#held;
    this.#held = [];
    for (const done of held) done();
  }

  get bytesWritten(): number {
    return 0;
  }

  /** Pictures in letters, with `h` for a video header. */
  get letters(): string {
    let letters = '';
    const demuxer = new FlvDemuxer({
      onTag: (tag) => {
        if (tag.typeId !== FlvTagType.video) return;
        const header = readFlvVideoHeader(tag.payload);
        letters += header.kind === 'sequence-header' ? 'h' : header.isKeyframe ? 'K' : 'p';
      },
    });
    demuxer.push(Buffer.concat(this.#received));
    return letters;
  }
}

/**
 * Plays a script to one stream: `K` and `p` are pictures of 10 KB, `H` new headers, `+` a viewer joins, `x` all viewers stop
 * reading, `.` they read again. Returns what each viewer got.
 */
async function check(script: string, gop = GOP_LIMITS, queuedPicturesMax = 3): Promise<string[]> {
  const metrics = createMediaMetrics(createMetrics('test'));
  const stream = new Stream('show', { gop, onGopOverflow: () => undefined, onUnreadableHeader: () => undefined });
  stream.goLive();
  let header = 0;
  const pushHeader = (): void => {
    header += 1;
    stream.push({
      track: 'video',
      kind: 'sequence-header',
      isKeyframe: true,
      timestampMs: 0,
      payload: Uint8Array.of(0x17, 0, 0, 0, 0, header),
    });
  };
  pushHeader();
  let timestampMs = 0;
  const sinks: Sink[] = [];
  const highBytes = queuedPicturesMax * PICTURE_BYTES;
  let fanOut: FlvFanOut | null = null;
  for (const letter of script.replaceAll(' ', '')) {
    if (letter === 'K' || letter === 'p') {
      const payload = new Uint8Array(PICTURE_BYTES);
      payload.set([LETTERS[letter][0], 1]);
      timestampMs += 33;
      stream.push({ track: 'video', kind: 'frames', isKeyframe: LETTERS[letter][1], timestampMs, payload });
    } else if (letter === 'H') pushHeader();
    else if (letter === '+') {
      fanOut ??= new FlvFanOut(stream, {
        metrics,
        gop,
        sent: { bytes: 0 },
        viewerLimits: { ...VIEWER_LIMITS, backlogBytesHigh: highBytes, backlogBytesLow: PICTURE_BYTES },
        merge: 'auto',
        mergeCeilingMs: 100,
        keepAliveMs: 3_000,
        onEnded: () => undefined,
        onTracksChanged: () => undefined,
        onStuck: () => undefined,
      });
      const sink = new Sink({ highWaterMark: 1 });
      sinks.push(sink);
      fanOut.join(new FlvViewer({ id: String(sinks.length), ip: '', playbackId: 'show' }, sink as unknown as Socket));
    } else if (letter === '.') for (const sink of sinks) sink.drain();
    else for (const sink of sinks) sink.isDraining = false;
    await nextTurn();
  }
  fanOut?.dispose();
  for (const sink of sinks) sink.drain();
  await nextTurn();
  return sinks.map((sink) => sink.letters);
}

test.each([
  //                                                script                       what each viewer got
  ['a joiner begins with headers and the GOP', 'K p p + p K p', ['hKpppKp']],
  ['every joiner begins at the same keyframe', 'K p + p + K', ['hKppK', 'hKppK']],
  ['no keyframe yet: the joiner waits for one', '+ p p K p', ['hKp']],
  ['a slow viewer resumes on a keyframe', 'K + x p p p p p p . p K p', ['hKppphKp']],
  ['a viewer that stays slow gets nothing more', 'K + x p p p p p p K p K p', ['hKppp']],
  ['neighbours do not notice', 'K + x p p p p p . + p K p', ['hKppphKp', 'hKppppppKp']],
  ['new headers reach everyone before the picture', 'K + p H K p', ['hKphKp']],
])('%s', async (_name, script, expected) => {
  expect(await check(script)).toEqual(expected);
});

test.each([
  [
    'a GOP over its bound is not for joiners: they wait for the next keyframe',
    'K + p p p p + p K p',
    ['hKpppppKp', 'hKp'],
  ],
  ['nor for the first viewer, who finds it overflown', 'K p p p p + p K p', ['hKp']],
])('%s', async (_name, script, expected) => {
  const gops = [
    { packetsMax: 4, bytesMax: 1_000_000 },
    { packetsMax: 1_000, bytesMax: 3.5 * PICTURE_BYTES },
  ];
  for (const gop of gops) expect(await check(script, gop)).toEqual(expected);
});
