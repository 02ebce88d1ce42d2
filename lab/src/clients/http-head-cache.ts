/** Heads of answers that were read before: in one second a server sends thousands of viewers the same bytes. */
import type { HttpHead } from './http-response-reader.ts';

/** Heads remembered per thread; the oldest is forgotten. */
export const HEADS_MAX = 16;

/** One per worker thread. */
export class HttpHeadCache {
  readonly #known: { readonly bytes: Buffer; readonly head: HttpHead }[] = [];
  #oldest = 0;

  /** The head that these bytes are; `parse` is asked, and the bytes are copied, when they are new. Throws what `parse` throws. */
  read(bytes: Buffer, parse: (text: string) => HttpHead): HttpHead {
    for (const { bytes: known, head } of this.#known) {
      if (known.length === bytes.length && known.equals(bytes)) return head;
    }
    const head = parse(bytes.toString('latin1'));
    this.#known[this.#oldest] = { bytes: Buffer.from(bytes), head };
    this.#oldest = (this.#oldest + 1) % HEADS_MAX;
    return head;
  }
}
