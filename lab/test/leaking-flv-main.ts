/** The paced FLV server as a process of its own that leaks half a megabyte every 50 ms: what no viewer notices yet. */
import { startPacedFlvServer } from './paced-flv-server.ts';

const kept: Buffer[] = [];
setInterval(() => kept.push(Buffer.alloc(512 * 1024, 1)), 50);
const server = await startPacedFlvServer();
process.stdout.write(`${server.url}\n`);
