/**
 * The first bytes of each connection: who asks for an FLV stream in the usual way is let in here, everybody else is led to node:http, which
 * then reads those bytes itself.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type PlainFlvRequest, readPlainFlvRequest } from './plain-flv-request.ts';

export type FrontDoorOptions = Readonly<{
  /** Who sends nothing for this long is cut. */
  firstBytesMs: number;
  /** True when the socket now carries the stream; whatever else comes on it ends it. False: node:http answers. */
  letIn: (socket: Socket, request: PlainFlvRequest) => boolean;
  /** Called for each connection before anything else. */
  onConnection: (socket: Socket) => void;
}>;

/** Stands in front of a server's own listener of connections. Sockets at the door are not known to the server: whoever closes it cuts them. */
export function openFrontDoor(server: Server, { firstBytesMs, letIn, onConnection }: FrontDoorOptions): void {
  const inside = server.listeners('connection');
  server.removeAllListeners('connection');
  // One function for all sockets: what is made per socket stays for as long as a viewer watches.
  function onFirstBytes(this: Socket, chunk: Buffer): void {
    this.setTimeout(0).off('data', onFirstBytes).off('timeout', cut);
    const request = readPlainFlvRequest(chunk);
    if (request !== null && letIn(this, request)) {
      this.on('data', cut); // a second request would be a second viewer on one connection
      return;
    }
    this.off('end', cut).off('error', ignore).unshift(chunk);
    for (const listener of inside) listener.call(server, this);
  }
  server.on('connection', (socket) => {
    onConnection(socket);
    socket.setTimeout(firstBytesMs).on('timeout', cut).on('error', ignore).on('end', cut).on('data', onFirstBytes);
  });
}

function cut(this: Socket): void {
  this.destroy();
}

/** Its end follows, and tells. */
function ignore(): void {}
