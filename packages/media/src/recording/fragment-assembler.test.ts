import { expect, test } from 'vitest';
import { packetsOf } from '../../test/recorded-show.ts';
import type { MediaPacket } from '../hub/media-packet.ts';
import { type AssembledFragment, FragmentAssembler } from './fragment-assembler.ts';

const HEADERS = packetsOf().filter((packet) => packet.kind === 'sequence-header');

/** Pictures `stepMs` apart: `K` a keyframe, `p` another. Returns the lengths of the fragments in frames. */
function cut(letters: string, stepMs: number, pictureBytes = 10): number[] {
  const assembler = new FragmentAssembler();
  for (const header of HEADERS) assembler.header(header);
  const fragments: (AssembledFragment | null)[] = letters.split('').map((letter, index) => {
    const payload = new Uint8Array(pictureBytes);
    payload.set([letter === 'K' ? 0x17 : 0x27, 1]);
    const isKeyframe = letter === 'K';
    return assembler.frame({ track: 'video', kind: 'frames', isKeyframe, timestampMs: index * stepMs, payload });
  });
  fragments.push(assembler.flush());
  return fragments.flatMap((fragment) => (fragment === null ? [] : [fragment.runs[0]?.samples.length ?? 0]));
}

test.each([
  ['a GOP is a fragment', 'KppppKppppKpp', 200, [5, 5, 3]],
  ['a long GOP is cut at a second', 'Kppppppppp', 250, [4, 4, 2]],
  ['keyframes that follow closely share one', 'KKKKKKKK', 200, [3, 3, 2]],
  ['pictures before the first keyframe are left out', 'ppKpp', 200, [3]],
])('%s', (_name, letters, stepMs, expected) => {
  expect(cut(letters, stepMs)).toEqual(expected);
});

test('a fragment over 4 MB is cut at once', () => {
  expect(cut('Kppppp', 10, 2_200_000)).toEqual([2, 2, 2]);
});

test('sound counts its own samples while its timestamps are near, and follows them over a gap', () => {
  const assembler = new FragmentAssembler();
  for (const header of HEADERS) assembler.header(header);
  const sound = (timestampMs: number): MediaPacket => ({
    track: 'audio',
    kind: 'frames',
    isKeyframe: false,
    timestampMs,
    payload: Uint8Array.of(0xaf, 1, 7),
  });
  for (const timestampMs of [0, 21, 43, 64, 300]) assembler.frame(sound(timestampMs));
  const [run] = assembler.flush()?.runs ?? [];
  expect(run?.samples.map((sample) => sample.durationTicks)).toEqual([1_024, 1_024, 1_024, 14_400 - 3 * 1_024, 1_024]);
  assembler.frame(sound(321));
  expect(assembler.flush()?.runs[0]?.baseTicks).toBe(14_400 + 1_024);
});
