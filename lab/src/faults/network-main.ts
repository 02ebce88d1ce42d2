/** Entry of the thread that proxies run in: delays and bytes must not wait for the thread that merges figures. */
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicMs } from '../clock.ts';
import { LagProbe } from '../engine/lag-probe.ts';
import type { NetworkMessage, NetworkReport, NetworkTask } from './fault-network.ts';
import { TcpProxy } from './tcp-proxy.ts';

const SELF_EVERY_MS = 1000;

const port = parentPort;
if (port === null) throw new Error('network-main.ts runs in a worker thread only');
const post = (report: NetworkReport): void => port.postMessage(report);
const task = workerData as NetworkTask;
const proxies = await Promise.all(task.routes.map((route) => TcpProxy.open({ ...route, seed: task.seed })));
const probe = new LagProbe();
const timer = setInterval(() => post({ type: 'self', self: probe.sample() }), SELF_EVERY_MS);

port.on('message', (message: NetworkMessage) => {
  if (message.type === 'apply') {
    proxies[message.route]?.apply(message.faults);
    post({ type: 'applied', id: message.id, atMs: monotonicMs() });
    return;
  }
  clearInterval(timer);
  probe.stop();
  void Promise.all(proxies.map((proxy) => proxy.close())).then(() => {
    post({ type: 'closed' });
    port.close();
  });
});
post({ type: 'ready', ports: proxies.map((proxy) => proxy.port) });
