/** The paced FLV server as a process of its own, on the port it is told: something that can be paused and killed. */
import { startPacedFlvServer } from './paced-flv-server.ts';

const server = await startPacedFlvServer({}, Number(process.argv[2]));
process.stdout.write(`${server.url}\n`);
