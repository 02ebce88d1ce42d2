/** Sockets of virtual viewers: no stream objects and no buffer per read, because a lab thread holds thousands of them. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const READ_BUFFER_BYTES = 65_536;
/** Shared by every plain socket of this thread: its content is consumed before the next read. */
const readBuffer = new Uint8Array(READ_BUFFER_BYTES);

/**
 * Connects to the host of a URL, over TLS for `https:`. What `onBytes` is given must be used at once. The caller listens for
 * `error` and `close`, and destroys the socket.
 */
export function openLightSocket(url: URL, onBytes: (bytes: Uint8Array) => void, onConnected: () => void): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'https:') {
    const socket = connectTls({ host, port: Number(url.port || 443), servername: host });
    socket.setNoDelay(true);
    return socket.on('data', onBytes).once('secureConnect', onConnected);
  }
  const socket = connectTcp({
    host,
    port: Number(url.port || 80),
    noDelay: true,
    onread: {
      buffer: readBuffer,
      callback: (bytesRead, buffer) => {
        onBytes(buffer.subarray(0, bytesRead));
        return true;
      },
    },
  });
  return socket.once('connect', onConnected);
}
