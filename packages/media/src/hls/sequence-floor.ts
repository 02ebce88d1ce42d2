/**
 * Where the media sequence of a run begins: never below a number that was given out before, so that a player that lives through a
 * restart sees no number twice. The wall clock alone would do while every segment lasts a second and no clock is set back; the file
 * covers the rest (short segments after drops, publishers faster than real time, a clock that was wrong).
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const EPOCH_MS = Date.UTC(2024, 0, 1);
/** Numbers are reserved in the file ahead of their use: written once in a while, not per segment. */
const RESERVED_AHEAD = 600;
const RESERVE_WHEN_LEFT = 120;

/** Hands out first sequence numbers. `filePath` null keeps them for this process only. */
export class SequenceFloor {
  readonly #filePath: string | null;
  readonly #onFailed: (error: unknown) => void;
  #reserved: number;
  #floor: number;

  /** Reads the file. One that is not there, or not a number, counts as 0. `onFailed`: it could not be written. */
  constructor(filePath: string | null, onFailed: (error: unknown) => void) {
    this.#filePath = filePath;
    this.#onFailed = onFailed;
    this.#reserved = filePath === null ? 0 : readNumber(filePath);
    this.#floor = this.#reserved;
  }

  /** First number for a stream that begins at `nowMs`. */
  next(nowMs: number): number {
    const first = Math.max(Math.floor((nowMs - EPOCH_MS) / 1_000), this.#floor, 1);
    this.used(first);
    return first;
  }

  /** Numbers up to and with `sequence` have been given out. */
  used(sequence: number): void {
    if (sequence >= this.#floor) this.#floor = sequence + 1;
    if (this.#filePath !== null && this.#floor + RESERVE_WHEN_LEFT > this.#reserved) {
      this.#write(this.#filePath, this.#floor + RESERVED_AHEAD);
    }
  }

  /** A clean stop: what was reserved and not used is given back. */
  close(): void {
    if (this.#filePath !== null && this.#floor > 0) this.#write(this.#filePath, this.#floor);
  }

  #write(filePath: string, reserved: number): void {
    this.#reserved = reserved; // also when it fails: not again with every segment
    try {
      mkdirSync(dirname(filePath), { recursive: true });
      writeFileSync(`${filePath}.tmp`, `${reserved}\n`);
      renameSync(`${filePath}.tmp`, filePath);
    } catch (error) {
      this.#onFailed(error);
    }
  }
}

function readNumber(filePath: string): number {
  try {
    const value = Number(readFileSync(filePath, 'utf8'));
    return Number.isSafeInteger(value) && value > 0 ? value : 0;
  } catch {
    return 0; // the first start
  }
}
