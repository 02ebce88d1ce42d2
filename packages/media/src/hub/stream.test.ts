import { expect, test } from 'vitest';
import type { MediaPacket } from './media-packet.ts';
import { Stream } from './stream.ts';

const FIRST_BYTES = { K: 0x17, p: 0x27, V: 0x17, s: 0xaf, A: 0xaf } as const;
type Letter = keyof typeof FIRST_BYTES;

/**
 * Plays a script: `V1` and `A1` are headers (the digit is their content), `K` and `p` pictures and `s` sounds, each 100 ms after
 * the one before; `|` is a publisher's return. Returns the stream and what its output got, in the same letters, with `!` where
 * the tracks changed.
 */
function play(script: string): { stream: Stream; output: string } {
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
