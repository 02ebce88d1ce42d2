/** A TCP proxy whose cable can be pulled: between an encoder and the plane under test. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** How a connection is lost. `silent`: nobody is told, as when a radio link fades. */
export type CutKind = 'reset' | 'closed' | 'silent';

type Pair = { readonly encoder: Socket; readonly server: Socket };

export class CutProxy implements AsyncDisposable {
  readonly #pairs = new Set<Pair>();
  /** Connections that the encoder has lost and the server has not. */
  readonly #halves = new Set<Socket>();
  readonly #server: Server;
  #isDown = false;
  /** When the latest encoder came through, on the clock of performance.now. */
  connectedAtMs = 0;

  constructor(targetPort: number) {
    this.#server = createServer({ noDelay: true }, (encoder) => {
      encoder.on('error', () => encoder.destroy());
      if (this.#isDown) {
        encoder.destroy();
        return;
      }
      this.connectedAtMs = performance.now();
      const server = connect({ host: '127.0.0.1', port: targetPort, noDelay: true });
      const pair = { encoder, server };
      this.#pairs.add(pair);
      for (const [from, to] of [
        [encoder, server],
        [server, encoder],
      ] as const) {
        from.on('data', (bytes) => to.write(bytes));
        from.on('error', () => from.destroy());
        from.on('close', () => {
          if (this.#pairs.delete(pair)) to.destroy();
        });
      }
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Pulls the cable: connections are lost, new ones are refused until `mend`. */
  cut(kind: CutKind): void {
    this.#isDown = true;
    for (const pair of this.#pairs) {
      this.#pairs.delete(pair);
      pair.encoder.destroy();
      if (kind === 'reset') pair.server.resetAndDestroy();
      else if (kind === 'closed') pair.server.end();
      else this.#halves.add(pair.server);
    }
  }

  mend(): void {
    this.#isDown = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut('reset');
    for (const half of this.#halves) half.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
