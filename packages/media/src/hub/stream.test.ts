import { expect, test } from 'vitest';
import type { MediaPacket } from './media-packet.ts';
import { Stream, type StreamOutput } from './stream.ts';

const FIRST_BYTES = { K: 0x17, p: 0x27, V: 0x17, s: 0xaf, A: 0xaf } as const;
type Letter = keyof typeof FIRST_BYTES;

/**
 * Plays a script: `V1` and `A1` are headers (the digit is their content), `K` and `p` pictures and `s` sounds, each 100 ms after
 * the one before; `|` is a publisher's return. Returns the stream and what its output got, in the same letters, with `!` where
 * the tracks changed. With `announces` also `|` where another publisher's packets begin.
 */
function play(script: string, announces = false): { stream: Stream; output: string } {
  const stream = new Stream('show', {
    gop: { packetsMax: 100, bytesMax: 10_000 },
    onGopOverflow: () => undefined,
    onUnreadableHeader: () => undefined,
  });
  let output = '';
  stream.attach({
    packet: (packet) => {
      output += letterOf(packet);
    },
    tracksChanged: () => {
      output += '!';
    },
    sourceChanged: () => {
      if (announces) output += '|';
    },
    interrupted: () => undefined,
    resumed: () => undefined,
    ended: () => undefined,
  });
  stream.beginSource();
  let timestampMs = 0;
  for (const word of script.split(/\s+/)) {
    if (word === '|') {
      stream.beginSource();
      continue;
    }
    const letter = word.charAt(0) as Letter;
    const isHeader = word.length > 1;
    if (!isHeader) timestampMs += 100;
    if (!isHeader) stream.goLive();
    stream.push({
      track: letter === 's' || letter === 'A' ? 'audio' : 'video',
      kind: isHeader ? 'sequence-header' : 'frames',
      isKeyframe: letter === 'K',
      timestampMs,
      payload: Uint8Array.of(FIRST_BYTES[letter], isHeader ? 0 : 1, Number(word.charAt(1))),
    });
  }
  return { stream, output };
}

function letterOf({ track, kind, isKeyframe, payload }: MediaPacket): string {
  if (kind === 'sequence-header') return `${track === 'video' ? 'V' : 'A'}${payload[2]}`;
  return track === 'audio' ? 's' : isKeyframe ? 'K' : 'p';
}

const SECOND_OF_PICTURE = 'K p p p p p p p p p';
const SECOND_OF_SOUND = 's s s s s s s s s s';

test.each([
  [
    'a return without sound: after a second joiners get no header of it, and the old connections are ended',
    `V1 A1 K s | V1 ${SECOND_OF_PICTURE} p`,
    'V1A1KsKppppppppp!p',
    { video: true, audio: false, gop: 11 },
  ],
  [
    'a return without picture: sound only, and no old picture for joiners',
    `V1 A1 K s | A1 ${SECOND_OF_SOUND} s`,
    'V1A1Ksssssssssss!s',
    { video: false, audio: true, gop: 0 },
  ],
  [
    'a return with both: nobody is ended, also when the second header is late',
    `V1 A1 K s | V1 K p p p A1 s p p p p p p p p p`,
    'V1A1KsKpppsppppppppp',
    { video: true, audio: true, gop: 14 },
  ],
  [
    'a return with another header',
    `V1 A1 K s | V2 A1 ${SECOND_OF_PICTURE} p p`,
    'V1A1KsV2Kppppppppppp',
    { video: true, audio: true, gop: 12 },
  ],
  [
    'the first publisher may have one track',
    `V1 ${SECOND_OF_PICTURE} p p`,
    'V1Kppppppppppp',
    { video: true, audio: false, gop: 12 },
  ],
])('%s', (_name, script, expected, joiner) => {
  const { stream, output } = play(script);
  expect(output).toBe(expected);
  const { headers, gop } = stream;
  expect({ video: headers.video !== null, audio: headers.audio !== null, gop: gop.length }).toEqual(joiner);
});

test('no joiner gets frames of an old header with a new one', () => {
  expect(play('V1 A1 K p s A2').stream.gop).toEqual([]);
  expect(play('V1 A1 K p s V2').stream.gop).toEqual([]);
  expect(play('V1 A1 K p s A1 V1').stream.gop).toHaveLength(3);
});

test.each([
  ['before its first header', 'V1 K p | V2 K p', 'V1Kp|V2Kp'],
  ['before its first picture when the header is the same', 'V1 K p | V1 p p K p', 'V1Kp|Kp'],
  ['once for each', 'V1 K | | V1 K | V1 A1 K', 'V1K|K|A1K'],
])('another publisher is announced to outputs %s', (_name, script, expected) => {
  expect(play(script, true).output).toBe(expected);
});

test('an output that throws is let go, the others and the show go on', () => {
  const errors: unknown[] = [];
  const stream = new Stream('show', {
    gop: { packetsMax: 100, bytesMax: 10_000 },
    onGopOverflow: () => undefined,
    onUnreadableHeader: () => undefined,
    onOutputFailed: (error) => errors.push(error),
  });
  const got = { first: 0, last: 0 };
  const output = (packet: () => void): StreamOutput => ({
    packet,
    tracksChanged: () => undefined,
    interrupted: () => undefined,
    resumed: () => undefined,
    ended: () => undefined,
  });
  stream.attach(output(() => (got.first += 1)));
  stream.attach(
    output(() => {
      throw new Error('disk full');
    }),
  );
  stream.attach(output(() => (got.last += 1)));
  for (const timestampMs of [0, 40, 80]) {
    stream.push({ track: 'video', kind: 'frames', isKeyframe: true, timestampMs, payload: Uint8Array.of(0x17, 1) });
  }
  expect(got).toEqual({ first: 3, last: 3 });
  expect(errors).toEqual([new Error('disk full')]);
});

test('the wall clock follows the picture, jumps with the publisher, and the past keeps its own', () => {
  let monotonicMs = 5_000;
  const stream = new Stream('show', {
    gop: { packetsMax: 100, bytesMax: 10_000 },
    onGopOverflow: () => undefined,
    onUnreadableHeader: () => undefined,
    readClock: () => ({ monotonicMs, wallMs: 1_000_000 + monotonicMs }),
  });
  const send = (track: 'video' | 'audio', timestampMs: number): void =>
    stream.push({ track, kind: 'frames', isKeyframe: true, timestampMs, payload: Uint8Array.of(0x17, 1) });
  stream.beginSource();
  expect(stream.wallClockAt(0)).toBe(0);
  send('audio', 900); // comes before its picture does
  send('video', 900);
  monotonicMs += 100;
  send('video', 1_000);
  expect([stream.lastTimestampMs, stream.wallClockAt(100)]).toEqual([100, 1_005_100]);
  monotonicMs += 30_000;
  stream.goLive();
  stream.beginSource();
  send('video', 77);
  const { lastTimestampMs } = stream;
  expect(lastTimestampMs - 100).toBeLessThanOrEqual(100);
  expect(stream.wallClockAt(lastTimestampMs)).toBe(1_035_100);
  expect(stream.wallClockAt(100)).toBe(1_005_100);
});
