/**
 * The server's wall clock as this browser knows it: own clock plus an offset measured on answers that carry
 * `serverNowMs`. The answer with the shortest round trip is the best measurement.
 */
export class ServerClock {
  #offsetMs = 0;
  #bestRoundTripMs = Number.POSITIVE_INFINITY;

  /** `sentAtMs` and `receivedAtMs` are this browser's wall clock around the request. */
  measure(serverNowMs: number, sentAtMs: number, receivedAtMs: number): void {
    const roundTripMs = receivedAtMs - sentAtMs;
    if (roundTripMs < 0 || roundTripMs > this.#bestRoundTripMs) return;
    this.#bestRoundTripMs = roundTripMs;
    this.#offsetMs = serverNowMs - (sentAtMs + receivedAtMs) / 2;
  }

  /** Milliseconds since the epoch on the server's clock. */
  now(): number {
    return Date.now() + this.#offsetMs;
  }

  /** Server minus browser, in milliseconds. */
  get offsetMs(): number {
    return this.#offsetMs;
  }
}

/** The page's one server clock. */
export const serverClock = new ServerClock();
