/** Damaged publishes, made from recordings of real encoders; the same for the same seed. */
import { readFileSync } from 'node:fs';
import {
  concatBytes,
  RTMP_C0C1_BYTES,
  RTMP_C2_BYTES,
  RtmpChunkReader,
  RtmpChunkWriter,
  type RtmpMessage,
  RtmpMessageType,
} from '@showfloor/media-formats';

const HANDSHAKE_BYTES = RTMP_C0C1_BYTES + RTMP_C2_BYTES;
const CAPTURES = ['ffmpeg-publish.rtmp', 'gstreamer-publish.rtmp', 'ffmpeg-late.rtmp', 'librtmp-late.rtmp'].map(
  (name) => new Uint8Array(readFileSync(new URL(`../../media-formats/fixtures/${name}`, import.meta.url))),
);
/** What lengths, types and flags are most easily fooled by. */
const NASTY_BYTES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x17, 0x27, 0x90, 0xaf, 0x02, 0x14, 0x16];

/** Numbers from a seed (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `below` - 1. */
  roll(below: number): number {
    this.#state = (this.#state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.roll(from.length)] as T;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.roll(256));
  }
}

/**
 * The bytes of a publisher of the stream `name` (four letters, for `demo`), from C0 on: noise, a stream of chunks that is damaged
 * in up to twelve places, or, most often, whole chunks with damaged messages in them, which get furthest.
 */
export function hostilePublish(dice: Dice, name: string): Uint8Array {
  if (dice.roll(20) === 0) return dice.bytes(dice.roll(6_000)); // not RTMP at all
  const capture = renamed(dice.pick(CAPTURES), name);
  if (dice.roll(3) > 0) return withDamagedMessages(dice, capture);
  const from = dice.roll(5) === 0 ? 0 : HANDSHAKE_BYTES; // most get past the handshake
  let bytes = capture;
  for (let left = dice.roll(13); left > 0; left -= 1) bytes = damaged(dice, bytes, from);
  return bytes;
}

function withDamagedMessages(dice: Dice, capture: Uint8Array): Uint8Array {
  const writer = new RtmpChunkWriter();
  const parts = [capture.subarray(0, HANDSHAKE_BYTES), writer.setChunkSize(4_096)];
  const oneIn = 1 + dice.roll(20);
  new RtmpChunkReader().push(capture.subarray(HANDSHAKE_BYTES), (message) => {
    const isSpared = message.typeId === RtmpMessageType.commandAmf0 && dice.roll(20) > 0; // or nobody would publish
    parts.push(writer.write(isSpared || dice.roll(oneIn) > 0 ? message : damagedMessage(dice, message)));
  });
  return concatBytes(parts);
}

function damagedMessage(dice: Dice, message: RtmpMessage): RtmpMessage {
  const { payload } = message;
  switch (dice.roll(6)) {
    case 0:
      return { ...message, timestampMs: dice.pick([0, 0xff_ff_ff_ff, 0x7f_ff_ff_ff, dice.roll(100_000)]) };
    case 1:
      return { ...message, typeId: dice.pick(Object.values(RtmpMessageType).filter((typeId) => typeId > 2)) };
    default:
      return { ...message, payload: payload.length === 0 ? dice.bytes(9) : damaged(dice, payload, 0) };
  }
}

function renamed(capture: Uint8Array, name: string): Uint8Array {
  const text = Buffer.from(capture);
  for (let at = text.indexOf('demo?key='); at >= 0; at = text.indexOf('demo?key=', at + 1)) text.write(name, at, 4);
  return text;
}

function damaged(dice: Dice, bytes: Uint8Array, from: number): Uint8Array {
  const at = from + dice.roll(bytes.length - from);
  const length = Math.min(bytes.length - at, 1 + dice.roll(dice.roll(2) === 0 ? 8 : 2_000));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + length)];
  switch (dice.roll(7)) {
    case 0: // a flipped bit
      return concatBytes([before, Uint8Array.of((bytes[at] ?? 0) ^ (1 << dice.roll(8))), bytes.subarray(at + 1)]);
    case 1: // a byte that means something
      return concatBytes([before, Uint8Array.of(dice.pick(NASTY_BYTES)), bytes.subarray(at + 1)]);
    case 2: // lost
      return concatBytes([before, after]);
    case 3: // twice
      return concatBytes([before, bytes.subarray(at, at + length), bytes.subarray(at)]);
    case 4: // noise in between
      return concatBytes([before, dice.bytes(length), bytes.subarray(at)]);
    case 5: // another encoder's bytes
      return concatBytes([before, dice.pick(CAPTURES).subarray(at, at + length), after]);
    default: // the end comes early
      return before;
  }
}
