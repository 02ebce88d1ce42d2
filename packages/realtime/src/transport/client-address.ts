import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/**
 * The proxies whose `X-Forwarded-For` is believed (bar S17). `entries` are addresses or CIDR ranges; throws an Error that
 * names the entry that is neither.
 */
export function trustedProxies(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address);
    const prefix = Number(bits);
    if (family === 0 || (bits !== undefined && !(prefix >= 0 && prefix <= (family === 4 ? 32 : 128)))) {
      throw new Error(`"${entry}" is neither an IP address nor a range like 10.0.0.0/8`);
    }
    const type = family === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, prefix, type);
  }
  return list;
}

/**
 * Where a request really comes from: the peer, or, when the peer is a trusted proxy, the last address of `X-Forwarded-For`
 * that is not one itself. What a stranger writes into the header is never believed.
 */
export function clientAddress(request: IncomingMessage, proxies: BlockList): string {
  let address = plain(request.socket.remoteAddress ?? '');
  const forwarded = String(request.headers['x-forwarded-for'] ?? '').split(',');
  while (isTrusted(address, proxies)) {
    const next = plain(forwarded.pop()?.trim() ?? '');
    if (isIP(next) === 0) break;
    address = next;
  }
  return address;
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function isTrusted(address: string, proxies: BlockList): boolean {
  const family = isIP(address);
  return family !== 0 && proxies.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** An IPv4 address that came in on an IPv6 socket, in its usual form. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
