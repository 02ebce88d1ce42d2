import { Resolver } from 'node:dns/promises';
import { type BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressRange, blockList, isListed, unmapped } from './address-ranges.ts';
import type { Variable } from './config.ts';
import { type OutboundRefused, type OutboundUrl, type OutboundUse, readOutboundUrl, refuse } from './outbound-url.ts';

/** Looks a name up: every address it has. Rejects, or resolves with none, when there is no such name. */
export type ResolveHost = (hostname: string) => Promise<readonly string[]>;

/** What may be connected to: one of `addresses`, and nothing that is looked up again. `hostname` goes into SNI and Host. */
export type OutboundTarget = OutboundUrl & Readonly<{ addresses: readonly string[] }>;

export type OutboundGuardOptions = Readonly<{
  /** Networks that may be reached though they are not public: `192.168.1.0/24`. Their ports are checked all the same. */
  allowedNetworks?: readonly string[];
  /** Ports besides those of each use. */
  allowedPorts?: readonly number[];
  /** Ports of our own ingest: no show is sent to where it comes from, whatever is allowed. */
  ingestPorts?: readonly number[];
  /** Names under which our ingest is known outside. */
  ingestHosts?: readonly string[];
  /** Stands in for DNS. */
  resolve?: ResolveHost;
  /** How long a name may take; default 5 s. */
  lookupTimeoutMs?: number;
  /** Addresses of this machine; default: those of its interfaces. */
  ownAddresses?: () => readonly string[];
}>;

const ADDRESSES_MAX = 32;
/** For one question to one name server; there may be several of both. */
const QUERY_TIMEOUT_MS = 2_000;
const QUERY_TRIES = 2;
const LOOKUP_TIMEOUT_MS = 5_000;
/** One sentence for every name and address we do not reach: it must not tell what our network looks like. */
const NOT_PUBLIC = 'The address does not lead to a public server.';
const OWN_INGEST = 'This is the address of this shop’s own ingest: a show cannot be sent to where it comes from.';

/**
 * The one gate for requests to URLs that users have written (bar S8): scheme and port by use, no credentials, every address
 * of the name public. Its answer is pinned: connect to `addresses` as they are, follow no redirect. A name that
 * changes its mind later (DNS rebinding) is therefore never asked twice for one connection.
 */
export class OutboundGuard {
  readonly #options: OutboundGuardOptions;
  readonly #allowed: BlockList;
  readonly #resolve: ResolveHost;
  readonly #ownAddresses: () => readonly string[];

  /** Throws a TypeError for an allowed network that is none. */
  constructor(options: OutboundGuardOptions = {}) {
    this.#options = options;
    this.#allowed = blockList(options.allowedNetworks ?? []);
    this.#resolve = options.resolve ?? resolveByDns;
    this.#ownAddresses = options.ownAddresses ?? interfaceAddresses;
  }

  /** Looks the URL's host up, once, and says whether it may be connected to. Never rejects. */
  async vet(url: string, use: OutboundUse): Promise<Readonly<{ ok: true; target: OutboundTarget }> | OutboundRefused> {
    const read = readOutboundUrl(url, use, this.#options.allowedPorts);
    if (!read.ok) return read;
    const { hostname, address, port } = read.url;
    const isOwnName = this.#options.ingestHosts?.includes(hostname) === true;
    if (isOwnName && this.#isIngestPort(port)) return refuse('own_ingest', OWN_INGEST);
    const found = address === null ? await this.#lookUp(hostname) : [address];
    if (found.length === 0) return refuse('unresolvable', NOT_PUBLIC);
    const own = new Set(this.#ownAddresses().map(unmapped));
    for (const one of found) {
      const refused = this.#judge(one, port, own);
      if (refused !== null) return refused;
    }
    return { ok: true, target: { ...read.url, addresses: found } };
  }

  #judge(address: string, port: number, own: ReadonlySet<string>): OutboundRefused | null {
    const range = addressRange(address);
    const isOurs = range === 'loopback' || range === 'unspecified' || own.has(unmapped(address));
    if (isOurs && this.#isIngestPort(port)) return refuse('own_ingest', OWN_INGEST);
    if (isListed(this.#allowed, address)) return null;
    return range === 'public' && !isOurs ? null : refuse('address', NOT_PUBLIC);
  }

  #isIngestPort(port: number): boolean {
    return this.#options.ingestPorts?.includes(port) === true;
  }

  /** IPv4 first: more machines reach it. What is no address is left out, and a name with too many is not trusted. */
  async #lookUp(hostname: string): Promise<readonly string[]> {
    const inTime = new AbortController();
    const timeoutMs = this.#options.lookupTimeoutMs ?? LOOKUP_TIMEOUT_MS;
    const nobody = sleep(timeoutMs, [], { signal: inTime.signal, ref: false }).catch(() => []); // answered in time
    try {
      const found = (await Promise.race([this.#resolve(hostname), nobody])).filter((one) => isIP(one) !== 0);
      if (found.length > ADDRESSES_MAX) return [];
      return found.toSorted((a, b) => isIP(a) - isIP(b));
    } catch {
      return []; // no such name: the caller is told `unresolvable`
    } finally {
      inTime.abort();
    }
  }
}

/**
 * Asks DNS without the thread pool: a name server that is silent must hold up nothing else. The hosts file is not read.
 * RFC 6761, 6.3: `localhost` is not a matter for DNS.
 */
async function resolveByDns(hostname: string): Promise<readonly string[]> {
  if (/(^|\.)localhost$/.test(hostname)) return ['127.0.0.1', '::1'];
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}

/** Variables of every process that sends requests to URLs of users. */
export const OUTBOUND_VARIABLES = {
  OUTBOUND_ALLOWED_NETWORKS: {
    doc: 'Networks that users’ URLs may lead to though they are not public, by comma: 192.168.1.0/24',
    fallback: '',
    parse: (text: string) => {
      const networks = listOf(text);
      blockList(networks);
      return networks;
    },
  } as Variable<readonly string[]>,
  OUTBOUND_ALLOWED_PORTS: {
    doc: 'Ports that users’ URLs may name besides the usual ones, by comma',
    fallback: '',
    parse: (text: string) =>
      listOf(text).map((item) => {
        const port = Number(item);
        if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`"${item}" is not a port`);
        return port;
      }),
  } as Variable<readonly number[]>,
} as const;

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
