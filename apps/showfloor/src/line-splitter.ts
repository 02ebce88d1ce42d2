import { StringDecoder } from 'node:string_decoder';

/** A longer line is delivered in pieces of this size, so that a process without line ends cannot fill our memory. */
export const LINE_CHARS_MAX = 32_768;

/** Cuts a byte stream into lines. `end` delivers what is left without its line end. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Buffer): void {
    this.#rest += this.#decoder.write(chunk);
    for (;;) {
      const end = this.#rest.indexOf('\n');
      if (end === -1) break;
      this.#deliver(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end + 1);
    }
    while (this.#rest.length > LINE_CHARS_MAX) {
      this.#onLine(this.#rest.slice(0, LINE_CHARS_MAX));
      this.#rest = this.#rest.slice(LINE_CHARS_MAX);
    }
  }

  end(): void {
    if (this.#rest !== '') this.#deliver(this.#rest);
    this.#rest = '';
  }

  #deliver(line: string): void {
    for (let from = 0; from < Math.max(1, line.length); from += LINE_CHARS_MAX) {
      this.#onLine(line.slice(from, from + LINE_CHARS_MAX));
    }
  }
}
