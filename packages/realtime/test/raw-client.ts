import { WebSocket } from 'ws';
import { until } from './plane-rig.ts';

/**
 * A WebSocket that speaks Engine.IO 4 by hand: sees each packet as it is on the wire, can send what a client library never
 * would, and can stop reading.
 */
export class RawClient {
  readonly socket: WebSocket;
  readonly packets: string[] = [];
  closeCode: number | null = null;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, { headers });
    this.socket.on('message', (data: Buffer) => this.packets.push(data.toString('utf8')));
    this.socket.on('close', (code) => {
      this.closeCode = code;
    });
    this.socket.on('error', () => undefined); // seen as a close
  }

  /** Opens the connection and joins `namespace`. */
  async open(namespace = '/', auth: object = {}): Promise<this> {
    await this.arrives('0{');
    const prefix = namespace === '/' ? '40' : `40${namespace},`;
    this.socket.send(prefix + JSON.stringify(auth));
    await this.arrives(prefix);
    return this;
  }

  /** Waits for a packet that starts with `start`, at or after index `from`, and returns it. */
  async arrives(start: string, from = 0): Promise<string> {
    const found = () => this.packets.slice(from).find((packet) => packet.startsWith(start));
    await until(() => found() !== undefined || this.closeCode !== null, `a packet ${start}`);
    const packet = found();
    if (packet === undefined) throw new Error(`closed with ${this.closeCode} before a packet ${start}`);
    return packet;
  }

  stopReading(): void {
    this.socket.pause();
  }

  close(): void {
    this.socket.terminate();
  }
}
