/** The part of an address that one subscriber holds: IPv4 as it is (also IPv6-mapped), IPv6 by its /64. */
export function subscriberNetwork(address: string): string {
  const ipv4 = /(?:^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const tailGroups = (tail ?? '').split(':').filter(Boolean);
  const zeros = tail === undefined ? 0 : 8 - groups.length - tailGroups.length;
  return [...groups, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...tailGroups].slice(0, 4).join(':');
}

/** True for addresses of this machine: encoders beside us, or a TCP proxy that hides everyone behind it. */
export function isLoopback(address: string): boolean {
  return address === '::1' || subscriberNetwork(address).startsWith('127.');
}
