/** Damages real bytes the way hostile and broken peers do. */
import type { RandomSource } from './random-source.ts';

/** Longest input that a mutation makes; time per byte is what is watched, so more shows nothing new. */
const INPUT_BYTES_MAX = 256 * 1024;
const MUTATIONS_MAX = 6;
const BLOCK_BYTES_MAX = 64;
/** Values at which length fields, counts, types and markers change their meaning. */
const EDGES = [0, 1, 2, 3, 4, 5, 7, 8, 0x0a, 0x10, 0x11, 0x16, 0x1f, 0x7f, 0x80, 0xc0, 0xfe, 0xff];

type Mutation = (input: Uint8Array, random: RandomSource, other: Uint8Array) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setEdge,
  setEdge,
  attackLength,
  attackLength,
  truncate,
  insert,
  remove,
  repeat,
  splice,
];

/** A damaged copy of `input`; `other` is another input to take pieces from. */
export function mutate(input: Uint8Array, random: RandomSource, other: Uint8Array): Uint8Array {
  let mutated: Uint8Array = input.slice();
  for (let left = 1 + random.below(MUTATIONS_MAX); left > 0; left -= 1) {
    mutated = random.pick(MUTATIONS)(mutated, random, other);
  }
  return mutated.subarray(0, INPUT_BYTES_MAX);
}

/** Headers stand at the front: half of all damage goes there. */
function anyOffset(input: Uint8Array, random: RandomSource): number {
  return random.below(random.below(2) === 0 ? Math.min(input.length, BLOCK_BYTES_MAX) : input.length);
}

function flipBit(input: Uint8Array, random: RandomSource): Uint8Array {
  const offset = anyOffset(input, random);
  if (offset < input.length) input[offset] = (input[offset] ?? 0) ^ (1 << random.below(8));
  return input;
}

function setEdge(input: Uint8Array, random: RandomSource): Uint8Array {
  const offset = anyOffset(input, random);
  if (offset < input.length) input[offset] = random.pick(EDGES);
  return input;
}

/** Writes 1 to 4 bytes that read as 0, as everything, as a little more or less than what is there. */
function attackLength(input: Uint8Array, random: RandomSource): Uint8Array {
  const bytes = 1 + random.below(4);
  const offset = anyOffset(input, random);
  if (offset + bytes > input.length) return input;
  const left = input.length - offset - bytes;
  let value = random.pick([0, 1, 2 ** (8 * bytes) - 1, 2 ** (8 * bytes - 1), left, left + 1, Math.max(0, left - 1)]);
  for (let index = bytes - 1; index >= 0; index -= 1) {
    input[offset + index] = value % 256;
    value = Math.floor(value / 256);
  }
  return input;
}

function truncate(input: Uint8Array, random: RandomSource): Uint8Array {
  return input.slice(0, anyOffset(input, random));
}

function block(source: Uint8Array, random: RandomSource): Uint8Array {
  const start = anyOffset(source, random);
  return source.subarray(start, start + 1 + random.below(BLOCK_BYTES_MAX));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function insert(input: Uint8Array, random: RandomSource): Uint8Array {
  const offset = anyOffset(input, random);
  const piece = Uint8Array.from({ length: 1 + random.below(8) }, () => random.pick(EDGES));
  return join(input.subarray(0, offset), piece, input.subarray(offset));
}

function remove(input: Uint8Array, random: RandomSource): Uint8Array {
  const offset = anyOffset(input, random);
  return join(input.subarray(0, offset), input.subarray(offset + 1 + random.below(BLOCK_BYTES_MAX)));
}

/** A block many times over: nesting, counts and quadratic loops show here. */
function repeat(input: Uint8Array, random: RandomSource): Uint8Array {
  const offset = anyOffset(input, random);
  const piece = block(input, random);
  if (piece.length === 0) return input;
  const times = random.below(20) === 0 ? Math.floor(INPUT_BYTES_MAX / piece.length) : 1 + random.below(40);
  const repeated = Buffer.alloc(piece.length * times, piece);
  return join(input.subarray(0, offset), repeated, input.subarray(offset));
}

function splice(input: Uint8Array, random: RandomSource, other: Uint8Array): Uint8Array {
  const piece = random.below(2) === 0 ? block(other, random) : other.subarray(anyOffset(other, random));
  return join(input.subarray(0, anyOffset(input, random)), piece);
}
