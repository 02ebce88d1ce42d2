/** Lists that viewers of one thread have read: thousands who get the same bytes share one parsed list. */
import { type HlsList, readHlsList } from '../player/hls-list.ts';

/** Lists remembered; the oldest is forgotten. Viewers of one stream ask for the newest few. */
export const LISTS_MAX = 16;

/** One per worker thread. */
export class ListCache {
  readonly #known: { readonly bytes: Buffer; readonly list: HlsList }[] = [];
  #oldest = 0;

  /** The list that these bytes are; they are copied when they are new. */
  read(bytes: Uint8Array): HlsList {
    for (const { bytes: known, list } of this.#known) {
      if (known.length === bytes.length && known.equals(bytes)) return list;
    }
    const copy = Buffer.from(bytes);
    const entry = { bytes: copy, list: readHlsList(copy.toString('utf8')) };
    this.#known[this.#oldest] = entry;
    this.#oldest = (this.#oldest + 1) % LISTS_MAX;
    return entry.list;
  }
}
