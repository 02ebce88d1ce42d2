import { isIP } from 'node:net';

/** What a user's URL may be used for: each use has its schemes, and each scheme its ports. */
export type OutboundUse = 'restream' | 'web';

/** Why nothing is sent to a URL. */
export type OutboundRefusal =
  | 'malformed'
  | 'scheme'
  | 'port'
  | 'credentials'
  | 'unresolvable'
  | 'address'
  | 'own_ingest';

/** `detail` is for the person who wrote the URL: it repeats nothing of it, and tells nothing of the network behind us. */
export type OutboundRefused = Readonly<{ ok: false; reason: OutboundRefusal; detail: string }>;

/** A URL that is fit for its use, before its name was looked up. */
export type OutboundUrl = Readonly<{
  scheme: string;
  isTls: boolean;
  /** Lower case, IDNA to ASCII, without the trailing dot; an IPv6 address without brackets. */
  hostname: string;
  port: number;
  /** Set when the host is an address in itself. */
  address: string | null;
}>;

type SchemeRule = Readonly<{ defaultPort: number; ports: readonly number[]; isTls: boolean }>;

/** Ports are those that ingests and web servers of the Internet use: nobody scans ports through us. */
const RULES: Readonly<Record<OutboundUse, Readonly<Record<string, SchemeRule>>>> = {
  restream: {
    rtmp: { defaultPort: 1935, ports: [80, 443, 1935, 1936], isTls: false },
    rtmps: { defaultPort: 443, ports: [443, 1935, 1936, 2935, 2936], isTls: true },
  },
  web: { https: { defaultPort: 443, ports: [443, 8443], isTls: true } },
};

const URL_CHARS_MAX = 2_048;

/**
 * Reads a URL as strictly as we can: what two parsers could read in two ways is refused, not interpreted. `extraPorts` are
 * allowed besides those of the use.
 */
export function readOutboundUrl(
  url: string,
  use: OutboundUse,
  extraPorts: readonly number[] = [],
): Readonly<{ ok: true; url: OutboundUrl }> | OutboundRefused {
  const rules = RULES[use];
  const schemes = Object.keys(rules);
  if (url.length > URL_CHARS_MAX || /[\s\\\p{Cc}]/u.test(url)) return refuse('malformed', HOW_TO_WRITE);
  const [, scheme = '', authority = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(url) ?? [];
  const rule = rules[scheme.toLowerCase()];
  if (rule === undefined) return refuse('scheme', `Only ${schemes.join(':// and ')}:// addresses are possible.`);
  if (authority.includes('@')) return refuse('credentials', 'The address must not hold a user name or password.');
  const [, host, portText] = /^(\[[0-9a-f:.]+\]|[^:[\]%]+)(?::(\d{1,5}))?$/i.exec(authority) ?? [];
  if (host === undefined) return refuse('malformed', HOW_TO_WRITE);
  const named = canonicalHost(host);
  if (named === null) return refuse('malformed', HOW_TO_WRITE);
  const port = portText === undefined ? rule.defaultPort : Number(portText);
  if (!rule.ports.includes(port) && !extraPorts.includes(port)) {
    return refuse('port', `Port ${port} is not possible here; possible are ${rule.ports.join(', ')}.`);
  }
  return { ok: true, url: { scheme: scheme.toLowerCase(), isTls: rule.isTls, port, ...named } };
}

const HOW_TO_WRITE = 'This is not an address that can be used: write scheme://host/path, without spaces.';

/** Null for a host that cannot be one, and for an IPv4 address in any but its usual form. */
function canonicalHost(host: string): Pick<OutboundUrl, 'hostname' | 'address'> | null {
  const text = `http://${host}/`;
  if (!URL.canParse(text)) return null;
  const hostname = new URL(text).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const family = isIP(hostname);
  // 127.1, 0x7f000001, 2130706433, ①②⑦.0.0.1 and 127.0.0.1. are one address in the spelling of those who hide it.
  if (family === 4 && hostname !== host) return null;
  // an empty label: shop.example.. is shop.example to some resolvers, and another name to whoever compares them
  const isName = hostname !== '' && (family !== 0 || !/^\.|\.\.|\.$/.test(hostname));
  return !isName ? null : { hostname, address: family === 0 ? null : hostname };
}

/** Makes a refusal. */
export function refuse(reason: OutboundRefusal, detail: string): OutboundRefused {
  return { ok: false, reason, detail };
}
