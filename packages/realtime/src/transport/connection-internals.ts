import type { Socket } from 'socket.io';

/**
 * The one place that knows what lies inside a Socket.IO connection: the Engine.IO socket, its transport and the `ws`
 * WebSocket. Everything here is checked at run time; a connection that looks different is treated as one we know nothing of.
 */
export type EngineConnection = Socket['conn'];

type WebSocketLike = {
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly terminate: () => void;
  readonly _sender: { readonly sendFrame: (buffers: readonly Buffer[]) => void };
};

const WS_OPEN = 1;

/** The WebSocket under an open connection that can take a finished frame now, else null. */
export function openWebSocket(connection: EngineConnection): WebSocketLike | null {
  const transport = connection.transport as { readonly name?: string; readonly socket?: unknown } | undefined;
  if (connection.readyState !== 'open' || transport?.name !== 'websocket') return null;
  const socket = transport.socket as Partial<WebSocketLike> | undefined;
  if (socket?.readyState !== WS_OPEN || typeof socket._sender?.sendFrame !== 'function') return null;
  return socket as WebSocketLike;
}

/** Packets that Engine.IO has not handed to the transport yet. */
export function queuedPackets(connection: EngineConnection): number {
  const queue = (connection as unknown as { readonly writeBuffer?: readonly unknown[] }).writeBuffer;
  return queue?.length ?? 0;
}

/** Bytes a WebSocket has taken but not given to the kernel; 0 for other transports. */
export function bufferedBytes(connection: EngineConnection): number {
  return openWebSocket(connection)?.bufferedAmount ?? 0;
}

/** Ends the connection at once, without a goodbye that a stuck peer would never read. */
export function terminate(connection: EngineConnection): void {
  const webSocket = openWebSocket(connection);
  if (webSocket === null) connection.close(true);
  else webSocket.terminate();
}
