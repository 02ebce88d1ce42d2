/** Resolved addresses: all viewers of a thread ask for the same few, again and again. */

/** Addresses remembered per thread; beyond, all are forgotten: they are cheap to make again. */
export const URLS_MAX = 256;

/** One per worker thread. The URLs are shared: nobody changes them. */
export class UrlCache {
  readonly #known = new Map<string, Map<string, URL>>();
  #count = 0;

  /** `reference` as seen from `base`; null when that is no address. */
  resolve(reference: string, base: URL): URL | null {
    const { href } = base;
    const known = this.#known.get(href)?.get(reference);
    if (known !== undefined) return known;
    const url = URL.parse(reference, href);
    if (url === null) return null;
    if (this.#count >= URLS_MAX) {
      this.#known.clear();
      this.#count = 0;
    }
    const ofBase = this.#known.get(href) ?? new Map<string, URL>();
    this.#known.set(href, ofBase.set(reference, url));
    this.#count += 1;
    return url;
  }
}
