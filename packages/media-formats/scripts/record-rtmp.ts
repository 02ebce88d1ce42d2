/**
 * Records what an RTMP publisher sends: `node record-rtmp.ts <file> <port>` answers one connection as a server does and
 * writes every byte of the client to the file when it hangs up. Makes the fixtures `*.rtmp`.
 */
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import {
  type Amf0Value,
  answerRtmpHandshake,
  decodeRtmpCommand,
  encodeRtmpCommand,
  RTMP_C0C1_BYTES,
  RTMP_C2_BYTES,
  RtmpChunkReader,
  RtmpChunkWriter,
  type RtmpMessage,
  RtmpMessageType,
  setPeerBandwidth,
  windowAcknowledgementSize,
} from '../src/index.ts';

const [file = 'publish.rtmp', port = '19350'] = process.argv.slice(2);

function record(socket: Socket): void {
  const received: Buffer[] = [];
  const writer = new RtmpChunkWriter();
  const reader = new RtmpChunkReader();
  let head: Buffer | null = Buffer.alloc(0);
  let hasAnswered = false;
  const send = (message: RtmpMessage): boolean => socket.write(writer.write(message));
  const answer = (message: RtmpMessage): void => {
    if (message.typeId !== RtmpMessageType.commandAmf0) return;
    const { name, transactionId } = decodeRtmpCommand(message);
    const result = (...args: Amf0Value[]): boolean => send(encodeRtmpCommand({ name: '_result', transactionId, args }));
    if (name === 'connect') {
      send(windowAcknowledgementSize(2_500_000));
      send(setPeerBandwidth(2_500_000));
      result(
        { fmsVer: 'FMS/3,5,7,7009', capabilities: 31 },
        { level: 'status', code: 'NetConnection.Connect.Success' },
      );
    } else if (name === 'createStream') result(null, 1);
    else if (name === 'publish') {
      const status = { level: 'status', code: 'NetStream.Publish.Start', description: 'On air.' };
      send(encodeRtmpCommand({ name: 'onStatus', transactionId: 0, args: [null, status] }, 1));
    } else if (name === 'releaseStream' || name === 'FCPublish') result(null, undefined);
  };
  socket.on('data', (bytes) => {
    received.push(bytes);
    if (head === null) {
      reader.push(bytes, answer);
      return;
    }
    head = Buffer.concat([head, bytes]);
    if (!hasAnswered && head.length >= RTMP_C0C1_BYTES) {
      socket.write(answerRtmpHandshake(head.subarray(0, RTMP_C0C1_BYTES), new Uint8Array(1_528)));
      hasAnswered = true;
    }
    const rest = head.subarray(RTMP_C0C1_BYTES + RTMP_C2_BYTES);
    if (rest.length === 0) return;
    head = null;
    reader.push(rest, answer);
  });
  socket.on('error', () => undefined); // the publisher's way to hang up
  socket.on('close', () => {
    writeFileSync(file, Buffer.concat(received));
    server.close();
  });
}

const server = createServer(record).listen(Number(port), '127.0.0.1');
