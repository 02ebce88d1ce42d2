import { bufferedBytes, type EngineConnection, queuedPackets, terminate } from './connection-internals.ts';

/** What one connection may leave unread in our memory: twice the biggest history. A healthy one is at 0 nearly always. */
export const BUFFERED_BYTES_MAX = 512 * 1024;
/** A polling client fetches many packets at once; this many unfetched means it has gone quiet. */
export const QUEUED_PACKETS_MAX = 500;
const SWEEP_MS = 1_000;

export type SlowConnectionsOptions = {
  readonly connections: () => Iterable<EngineConnection>;
  readonly onEnded: () => void;
  readonly bufferedBytesMax?: number;
  readonly queuedPacketsMax?: number;
};

/**
 * Ends connections that do not read what is sent to them: looked at on every broadcast and every received packet, and once a
 * second for those that get single packets only. Their neighbours never wait for them. `close` stops the timer.
 */
export class SlowConnections {
  readonly #options: SlowConnectionsOptions;
  readonly #bufferedBytesMax: number;
  readonly #queuedPacketsMax: number;
  /** A polling connection takes a while to go: it is counted once. */
  readonly #ended = new WeakSet<EngineConnection>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: SlowConnectionsOptions) {
    this.#options = options;
    this.#bufferedBytesMax = options.bufferedBytesMax ?? BUFFERED_BYTES_MAX;
    this.#queuedPacketsMax = options.queuedPacketsMax ?? QUEUED_PACKETS_MAX;
    this.#sweep = setInterval(() => {
      for (const connection of options.connections()) this.endsIfSlow(connection);
    }, SWEEP_MS);
    this.#sweep.unref();
  }

  /** True when the connection was over a bound, and is now ended. */
  endsIfSlow(connection: EngineConnection): boolean {
    if (this.#ended.has(connection)) return true;
    if (bufferedBytes(connection) <= this.#bufferedBytesMax && queuedPackets(connection) <= this.#queuedPacketsMax) {
      return false;
    }
    this.#ended.add(connection);
    this.#options.onEnded();
    terminate(connection);
    return true;
  }

  close(): void {
    clearInterval(this.#sweep);
  }
}
