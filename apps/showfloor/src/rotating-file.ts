import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** One file of a log; with the one before it, a log takes at most twice this. */
export const LOG_FILE_BYTES_MAX = 8 * 1024 * 1024;

/**
 * A log file that never grows past its bound: when full it becomes `<path>.1`, replacing the previous one. Writes are
 * synchronous: the supervisor serves nobody, and a line written is a line kept when it dies. A line that cannot be
 * written (disk full) is counted and dropped.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #bytesMax: number;
  #descriptor: number | null = null;
  #bytes = 0;
  #droppedLines = 0;

  constructor(path: string, bytesMax = LOG_FILE_BYTES_MAX) {
    this.#path = path;
    this.#bytesMax = bytesMax;
  }

  /** Lines that could not be written since the start. */
  get droppedLines(): number {
    return this.#droppedLines;
  }

  writeLine(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    try {
      if (this.#descriptor === null) this.#open();
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#bytesMax) this.#rotate();
      if (this.#descriptor !== null) this.#bytes += writeSync(this.#descriptor, bytes);
    } catch {
      this.#droppedLines += 1;
    }
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #open(): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    this.#descriptor = openSync(this.#path, 'a', 0o600); // lines may name buyers
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  #rotate(): void {
    this.close();
    renameSync(this.#path, `${this.#path}.1`);
    this.#descriptor = openSync(this.#path, 'a', 0o600);
    this.#bytes = 0;
  }
}
