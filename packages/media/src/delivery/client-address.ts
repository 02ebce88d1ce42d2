/**
 * Who asks: the peer's address, or what a proxy of ours says of it. A client may write anything into `X-Forwarded-For`, so the
 * list is read from its end, and only as far as each hop is one of our proxies.
 */
import { BlockList, isIP } from 'node:net';

/** Proxies read back from the end of the list, at most. */
const HOPS_MAX = 16;
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Addresses and networks whose word is taken for where a request came from. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /** `entries` are addresses or CIDRs, IPv4 or IPv6. Throws an Error that names the first one which is neither. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry);
    this.#isEmpty = entries.length === 0;
  }

  /** From a comma-separated list; empty for none. Throws like the constructor. */
  static parse(text: string): TrustedProxies {
    return new TrustedProxies(
      text
        .split(',')
        .map((entry) => entry.trim())
        .filter(Boolean),
    );
  }

  /** The address of the client behind `peer`, given the request's `X-Forwarded-For`. */
  clientOf(peer: string, forwardedFor: string | undefined): string {
    const address = plainAddress(peer);
    if (this.#isEmpty || forwardedFor === undefined || !this.#has(address)) return address;
    const hops = forwardedFor.split(',').slice(-HOPS_MAX).reverse();
    let client = address;
    for (const hop of hops) {
      const said = hopAddress(hop);
      if (said === null) return client; // nobody we trust writes that
      client = said;
      if (!this.#has(said)) return client;
    }
    return client;
  }

  #has(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  #add(entry: string): void {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? null : Number(prefix);
    const isPrefix = bits === null || (/^\d{1,3}$/.test(prefix ?? '') && bits <= (family === 6 ? 128 : 32));
    if (family === 0 || !isPrefix || entry.split('/').length > 2) {
      throw new Error(`"${entry}" is neither an address nor a network like 10.0.0.0/8`);
    }
    const type = family === 6 ? 'ipv6' : 'ipv4';
    if (bits === null) this.#list.addAddress(address, type);
    else this.#list.addSubnet(address, bits, type);
  }
}

/** `10.0.0.1`, `10.0.0.1:80`, `::1`, `[::1]:80`; null for anything else. */
function hopAddress(hop: string): string | null {
  const text = hop.trim();
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
  return isIP(bare) === 0 ? null : plainAddress(bare);
}

/** IPv4 that came in on an IPv6 socket is IPv4. */
function plainAddress(address: string): string {
  return MAPPED_IPV4.exec(address)?.[1] ?? address;
}
