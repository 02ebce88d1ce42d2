/** Entry of the canary's process: one worker thread of the engine, whose messages it passes on both ways. */
import { Worker } from 'node:worker_threads';
import { SHARED_ROOM_BYTES } from '../engine/shared-room.ts';
import type { CoordinatorMessage, WorkerMessage, WorkerTask } from '../engine/worker-messages.ts';

/** What the parent says first: the task without what cannot leave a process. */
export type CanaryTask = Omit<WorkerTask, 'room'>;

process.once('disconnect', () => process.exit());
process.once('message', (task: CanaryTask) => {
  const workerData: WorkerTask = { ...task, room: new SharedArrayBuffer(SHARED_ROOM_BYTES) };
  const worker = new Worker(new URL('../engine/worker-main.ts', import.meta.url), { workerData });
  worker.on('message', (message: WorkerMessage) => process.send?.(message));
  worker.once('exit', () => process.exit());
  process.on('message', (message: CoordinatorMessage) => worker.postMessage(message));
});
