import { BlockList, isIP } from 'node:net';

/**
 * What an IP address is good for, by the registries of special-purpose addresses (IANA, RFC 6890 and its successors). Only
 * addresses of the public Internet are `public`; everything else has a name that can be told to a person.
 */
export type AddressRange =
  | 'public'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'link_local'
  | 'shared'
  | 'metadata'
  | 'multicast'
  | 'reserved';

const IPV4: Readonly<Record<Exclude<AddressRange, 'public'>, readonly string[]>> = {
  // Before their surroundings: cloud metadata services that do not live on a link-local address.
  metadata: ['168.63.129.16/32', '100.100.100.200/32', '192.0.0.192/32', '169.254.169.254/32'],
  unspecified: ['0.0.0.0/8'],
  loopback: ['127.0.0.0/8'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  link_local: ['169.254.0.0/16'],
  shared: ['100.64.0.0/10'], // carrier-grade NAT
  multicast: ['224.0.0.0/4'],
  // IETF, documentation, 6to4 relays, benchmarks, class E and broadcast
  reserved: [
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '240.0.0.0/4',
  ],
};

const IPV6: Readonly<Record<Exclude<AddressRange, 'public' | 'shared'>, readonly string[]>> = {
  metadata: ['fd00:ec2::254/128', 'fd20:ce::254/128'],
  unspecified: ['::/128'],
  loopback: ['::1/128'],
  private: ['fc00::/7', 'fec0::/10'], // unique local, and what was site-local
  link_local: ['fe80::/10'],
  multicast: ['ff00::/8'],
  // Inside 2000::/3, but no hosts of the Internet: Teredo and other IETF uses, documentation, 6to4
  reserved: ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
};

/** All that is assigned to the Internet: what lies outside is reserved, IPv4-compatible, local NAT64 or unused. */
const GLOBAL_UNICAST = blockList(['2000::/3']);
/** An IPv4 address stands in the last 32 bits. */
const MAPPED = blockList(['::ffff:0:0/96']);
const NAT64 = blockList(['64:ff9b::/96']);

const RANGES = {
  4: Object.entries(IPV4).map(([range, cidrs]) => ({ range: range as AddressRange, list: blockList(cidrs) })),
  6: Object.entries(IPV6).map(([range, cidrs]) => ({ range: range as AddressRange, list: blockList(cidrs) })),
} as const;

/** The range of an address; anything that is no address is `reserved`. IPv4 inside of IPv6 is judged as what it is. */
export function addressRange(address: string): AddressRange {
  const plain = unmapped(address);
  const family = isIP(plain);
  if (family === 4) return RANGES[4].find(({ list }) => list.check(plain, 'ipv4'))?.range ?? 'public';
  if (family !== 6) return 'reserved';
  if (NAT64.check(plain, 'ipv6')) return addressRange(lastIpv4(plain));
  const named = RANGES[6].find(({ list }) => list.check(plain, 'ipv6'))?.range;
  return named ?? (GLOBAL_UNICAST.check(plain, 'ipv6') ? 'public' : 'reserved');
}

/** `::ffff:192.0.2.1` → `192.0.2.1`; every other address as it is, without a zone. */
export function unmapped(address: string): string {
  const plain = address.replace(/%.*$/, '');
  return isIP(plain) === 6 && MAPPED.check(plain, 'ipv6') ? lastIpv4(plain) : plain;
}

/** A list of networks, each `address/bits` or one address. Throws a TypeError that names the first one that is neither. */
export function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits, ...rest] = network.split('/');
    const family = isIP(address);
    const bitsMax = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? bitsMax : Number(bits);
    const isValid = family !== 0 && rest.length === 0 && bits !== '' && Number.isInteger(prefix);
    if (!isValid || prefix < 0 || prefix > bitsMax) throw new TypeError(`"${network}" is not a network`);
    list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

/** True when the address lies in the list; IPv4 inside of IPv6 counts as IPv4. */
export function isListed(list: BlockList, address: string): boolean {
  const plain = unmapped(address);
  const family = isIP(plain);
  return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
}

/** The last 32 bits of an IPv6 address, in any of its spellings. */
function lastIpv4(address: string): string {
  const dotted = /(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [high = 0, low = 0] = canonical
    .replace(/::$/, '::0:0')
    .replace(/::([^:]+)$/, '::0:$1')
    .split(':')
    .slice(-2)
    .map((group) => Number.parseInt(group || '0', 16));
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
