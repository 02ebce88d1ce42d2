import type { Server } from 'node:net';

/** Many viewers arrive in one second: a longer accept queue than Node's 511. */
const BACKLOG = 4096;

/** The environment does not let us start (busy port, folder not writable): print the message and exit 2. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Listens and resolves with the port that was bound. Throws {@link StartError} with a sentence that says what to do
 * when the address cannot be used.
 */
export async function listen(server: Server, at: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(explain(error, at));
    server.once('error', onError);
    server.listen({ host: at.host, port: at.port, backlog: BACKLOG }, () => {
      server.off('error', onError);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : at.port);
    });
  });
}

function explain(error: NodeJS.ErrnoException, at: { readonly host: string; readonly port: number }): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(`port ${at.port} on ${at.host} is in use: stop the other program or choose another port`);
    case 'EACCES':
      return new StartError(`port ${at.port} needs more rights: choose one above 1023`);
    case 'EADDRNOTAVAIL':
      return new StartError(`${at.host} is not an address of this machine: check HOST`);
    default:
      return error;
  }
}
