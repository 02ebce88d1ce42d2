import type { Namespace } from 'socket.io';
import { openWebSocket, queuedPackets } from './connection-internals.ts';
import type { SlowConnections } from './slow-connections.ts';

const OPCODE_TEXT_FIN = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * One Socket.IO event as a finished WebSocket frame (RFC 6455 §5.2: unmasked text; inside it Engine.IO 4 type `4` message,
 * Socket.IO 5 type `2` event).
 */
export function eventFrame(namespace: string, event: string, payload: unknown): Buffer {
  const prefix = namespace === '/' ? '42' : `42${namespace},`;
  const body = Buffer.from(prefix + JSON.stringify([event, payload]));
  const header = frameHeader(body.length);
  return Buffer.concat([header, body], header.length + body.length);
}

function frameHeader(length: number): Buffer {
  if (length < LENGTH_16) return Buffer.from([OPCODE_TEXT_FIN, length]);
  if (length <= 0xff_ff) {
    const header = Buffer.from([OPCODE_TEXT_FIN, LENGTH_16, 0, 0]);
    header.writeUInt16BE(length, 2);
    return header;
  }
  const header = Buffer.alloc(10);
  header[0] = OPCODE_TEXT_FIN;
  header[1] = LENGTH_64;
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/**
 * Sends one event to everyone in a room. Open WebSockets get one prebuilt frame, the same Buffer for all, past Engine.IO's
 * packet queue; a connection that polls, is being upgraded or has packets waiting (order!) gets the normal `emit`. Connections
 * that do not keep up are ended. Behaves as `namespace.to(room).emit(event, payload)`; `broadcast.plane.test.ts` holds it to
 * that.
 */
export class Broadcaster {
  readonly #slow: SlowConnections;
  readonly #onFrames: (prebuilt: number, emitted: number) => void;

  constructor(slow: SlowConnections, onFrames: (prebuilt: number, emitted: number) => void) {
    this.#slow = slow;
    this.#onFrames = onFrames;
  }

  send(namespace: Namespace, room: string, event: string, payload: unknown): void {
    const members = namespace.adapter.rooms.get(room);
    if (members === undefined) return;
    const frame = [eventFrame(namespace.name, event, payload)];
    let prebuilt = 0;
    let emitted = 0;
    for (const id of members) {
      const socket = namespace.sockets.get(id);
      if (socket === undefined || this.#slow.endsIfSlow(socket.conn)) continue;
      const webSocket = openWebSocket(socket.conn);
      if (webSocket !== null && queuedPackets(socket.conn) === 0) {
        webSocket._sender.sendFrame(frame);
        prebuilt += 1;
      } else {
        socket.emit(event, payload);
        emitted += 1;
      }
    }
    this.#onFrames(prebuilt, emitted);
  }
}
