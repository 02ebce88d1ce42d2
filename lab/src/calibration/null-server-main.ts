/** Entry of the null server's own process: serves until its parent goes, and reports on itself every second. */
import { LagProbe } from '../engine/lag-probe.ts';
import { startNullServer } from './null-server.ts';

/** What the process says to its parent. */
export type NullServerMessage =
  | { readonly type: 'listening'; readonly flvUrl: string; readonly hlsUrl: string }
  | {
      readonly type: 'second';
      readonly cpuPercent: number;
      readonly loopDelayP99Ms: number;
      readonly worstTickLateMs: number;
      readonly requests: number;
      readonly cutOff: number;
    };

const send = (message: NullServerMessage): void => {
  process.send?.(message);
};

const server = await startNullServer({ tickMs: Number(process.argv[2]) });
const probe = new LagProbe();
setInterval(() => {
  const { workerCpuPercent, loopDelayP99Ms } = probe.sample();
  send({ type: 'second', cpuPercent: workerCpuPercent, loopDelayP99Ms, ...server.take() });
}, 1000);
process.once('disconnect', () => process.exit());
send({ type: 'listening', flvUrl: server.flvUrl, hlsUrl: server.hlsUrl });
