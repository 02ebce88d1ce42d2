import type { Socket } from 'node:net';

/**
 * Ends a connection with RST, at once; what was not sent yet is dropped. Not by `resetAndDestroy()`: that ends the stream first and
 * resets when it has finished, and libuv refuses a reset while an end is under way (EINVAL). Node then forgets the handle without
 * closing it, and the thread that owns it never exits. A connection whose end is under way already is closed without RST.
 */
export function resetSocket(socket: Socket & { resetAndClosing?: boolean }): void {
  if (socket.destroyed) return;
  const isEnding = socket.writableEnded && !socket.writableFinished;
  if (!socket.connecting && !isEnding) socket.resetAndClosing = true;
  socket.destroy();
}
