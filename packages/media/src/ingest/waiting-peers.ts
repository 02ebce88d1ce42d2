import { isLoopback, subscriberNetwork } from './subscriber-network.ts';

/** Connections that do not publish (yet), per network and for this machine. */
export type WaitingPeersLimits = Readonly<{ perNetworkMax: number; loopbackMax: number }>;

/** A studio connects a handful of encoders at once; a proxy on this machine brings those of everyone. */
export const WAITING_PEERS_LIMITS: WaitingPeersLimits = { perNetworkMax: 32, loopbackMax: 256 };

/**
 * Counts the connections that are not publishing by network, so that nobody can fill the listener with idle ones. Holds an
 * entry only for networks that have some: bounded by the connections of the listener.
 */
export class WaitingPeers {
  readonly #limits: WaitingPeersLimits;
  readonly #counts = new Map<string, number>();

  constructor(limits: WaitingPeersLimits = WAITING_PEERS_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Counts a connection in; null when its network has as many as it may. Else call what is returned when the connection
   * publishes or is gone: the first call counts it out.
   */
  enter(address: string): (() => void) | null {
    const network = subscriberNetwork(address);
    const count = this.#counts.get(network) ?? 0;
    const { perNetworkMax, loopbackMax } = this.#limits;
    if (count >= (isLoopback(address) ? loopbackMax : perNetworkMax)) return null;
    this.#counts.set(network, count + 1);
    let isWaiting = true;
    return () => {
      if (isWaiting) this.#leave(network);
      isWaiting = false;
    };
  }

  /** Networks with waiting connections. */
  get networkCount(): number {
    return this.#counts.size;
  }

  #leave(network: string): void {
    const left = (this.#counts.get(network) ?? 0) - 1;
    if (left > 0) this.#counts.set(network, left);
    else this.#counts.delete(network);
  }
}
