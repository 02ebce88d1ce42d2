/** The peer: a bare Socket.IO server that emits each message to the room, as its guide shows. Prints its port as a line. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { listen } from '@showfloor/service-kit';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { perMessageDeflate: false, transports: ['websocket'] });
let seq = 0;
io.of('/chat').on('connection', (socket) => {
  socket.on('chat:join', ({ liveId }: { liveId: string }, ack: (answer: object) => void) => {
    void socket.join(liveId);
    ack({ ok: true });
  });
  socket.on('chat:send', ({ liveId, message, clientId }: Record<string, string>, ack: (answer: object) => void) => {
    seq += 1;
    const entry = { id: randomUUID(), seq, clientId, userId: socket.id, username: 'user', role: 'buyer', message };
    const messages = [{ ...entry, timestampMs: Date.now() }];
    io.of('/chat').to(String(liveId)).emit('chat:messages', { liveId, messages });
    ack({ ok: true, id: entry.id });
  });
});
process.stdout.write(`${await listen(http, { host: '127.0.0.1', port: 0 })}\n`);
process.stdin.on('end', () => process.exit()).resume();
