/** Entry of a worker thread: starts and stops its virtual users as planned, reports every second. */
import { parentPort, workerData } from 'node:worker_threads';
import { assertNever } from '../assert-never.ts';
import { type ActorContext, type LabEvent, pause } from '../clients/actor.ts';
import { errorCode } from '../clients/endless-get.ts';
import { runFlvViewer } from '../clients/flv-viewer.ts';
import { runHlsViewer } from '../clients/hls-viewer.ts';
import { runRoomMember } from '../clients/room-member.ts';
import { runShopper } from '../clients/shopper.ts';
import { monotonicMs } from '../clock.ts';
import { FreshPictures, RecoveryBoard } from '../faults/recovery-board.ts';
import { recordRecovery } from '../faults/recovery-metrics.ts';
import { type Counter, Recorder } from '../metrics/recorder.ts';
import type { TargetAdapter } from '../target/target.ts';
import { targetOfVu } from '../target/vu-target.ts';
import { LagProbe } from './lag-probe.ts';
import type { PlannedVu } from './plan.ts';
import { createRandom } from './random.ts';
import type { Group } from './scenario.ts';
import { openSharedRoom } from './shared-room.ts';
import type { CoordinatorMessage, WorkerMessage, WorkerTask } from './worker-messages.ts';

const SLICE_MS = 1000;
/** Events of one second beyond this are counted, not kept. */
const EVENTS_PER_SLICE_MAX = 200;

const port = parentPort;
if (port === null) throw new Error('worker-main.ts runs in a worker thread only');
const post = (message: WorkerMessage): void => port.postMessage(message);

const task = workerData as WorkerTask;
const { target: adapter } = (await import(task.adapterUrl)) as { target: TargetAdapter };
const recorder = new Recorder();
const probe = new LagProbe();
const stopAll = new AbortController();
const room = openSharedRoom(task.room);
const recovery = new RecoveryBoard((outcome) => recordRecovery(recorder, outcome));
const running = new Set<Promise<void>>();
const dismissed = new Set<number>();
const leaving = new Map<number, AbortController>();
let runStartMs = 0;
const busySlots = new Set<number>();
let events: LabEvent[] = [];
let droppedEvents = 0;

port.on('message', (message: CoordinatorMessage) => {
  if (message.type === 'stop') stopAll.abort();
  else if (message.type === 'join') for (const vu of message.vus) begin(vu);
  else if (message.type === 'leave') for (const id of message.ids) dismiss(id);
  else if (message.type === 'fault') recovery.on(message.fault, message.stage, message.atMs);
  else void run(message.startAtMs);
});
post({ type: 'ready' });

function begin(vu: PlannedVu): void {
  const ended = runVu(vu, runStartMs).finally(() => running.delete(ended));
  running.add(ended);
}

/** Also somebody who should have started and has not yet, because this thread is late. */
function dismiss(id: number): void {
  const leave = leaving.get(id);
  if (leave === undefined) dismissed.add(id);
  else leave.abort();
}

async function run(startAtMs: number): Promise<void> {
  runStartMs = startAtMs;
  let second = 0;
  const takeSlice = (): void => {
    post({ type: 'slice', second, data: recorder.takeSlice(), self: probe.sample(), events, droppedEvents });
    second += 1;
    events = [];
    droppedEvents = 0;
  };
  // A thread that was blocked for seconds still accounts for each of them.
  const timer = setInterval(() => {
    while (monotonicMs() >= startAtMs + (second + 1) * SLICE_MS) takeSlice();
  }, SLICE_MS / 20);
  for (const vu of task.vus) begin(vu);
  await pause(startAtMs + task.durationMs - monotonicMs(), stopAll.signal);
  while (running.size > 0) await Promise.all(running);
  clearInterval(timer);
  takeSlice();
  probe.stop();
  post({ type: 'done' });
  port?.close();
}

async function runVu(vu: PlannedVu, startAtMs: number): Promise<void> {
  const group = task.groups[vu.group];
  if (group === undefined) throw new Error(`the plan names an unknown group: ${vu.group}`);
  const intendedStartMs = startAtMs + vu.startAtMs;
  const intendedStopMs = startAtMs + vu.stopAtMs;
  if (!(await pause(intendedStartMs - monotonicMs(), stopAll.signal)) || dismissed.delete(vu.id)) return;
  probe.late(Math.max(0, monotonicMs() - intendedStartMs));
  const arrivals = isArrivalRate(group) ? countArrival(vu.group) : null;
  if (busySlots.has(vu.slot)) {
    arrivals?.dropped.add(); // who was here before is late to leave
    return;
  }
  busySlots.add(vu.slot);
  const leave = new AbortController();
  leaving.set(vu.id, leave);
  const onStopAll = (): void => leave.abort();
  stopAll.signal.addEventListener('abort', onStopAll, { once: true });
  const timer = setTimeout(() => leave.abort(), intendedStopMs - monotonicMs());
  const active = recorder.gauge('vus_active', { group: vu.group, actor: vu.actor });
  active.add(1);
  const event = (name: string, detail: LabEvent['detail'] = {}): void => {
    if (events.length >= EVENTS_PER_SLICE_MAX) droppedEvents += 1;
    else events.push({ name, vu: vu.id, atMs: Math.round(monotonicMs() - startAtMs), detail });
  };
  try {
    await runActor(group, {
      vu,
      intendedStartMs,
      intendedStopMs,
      runStartMs: startAtMs,
      runId: task.runId,
      signal: leave.signal,
      random: createRandom(task.seed, `vu ${vu.id}`),
      recorder,
      target: targetOfVu(task, vu),
      adapter,
      room,
      pictures: new FreshPictures((fromMs, toMs) => recovery.shown(vu.id, vu.group, fromMs, toMs)),
      clockOffsetMs: task.clockOffsetMs,
      lagMs: () => probe.lagMs(),
      late: (ms) => probe.late(ms),
      event,
    });
  } catch (error) {
    // An actor that breaks is a bug of the lab: counted, named, and it must not take its neighbours along.
    recorder.counter('lab_bugs_total', { group: vu.group }).add();
    event('lab_bug', { error: error instanceof Error ? `${errorCode(error)}: ${error.message}` : 'unknown' });
  } finally {
    clearTimeout(timer);
    stopAll.signal.removeEventListener('abort', onStopAll);
    active.add(-1);
    busySlots.delete(vu.slot);
    leaving.delete(vu.id);
    recovery.left(vu.id, monotonicMs());
  }
}

function isArrivalRate({ timing }: Group): boolean {
  return timing.executor === 'constant-arrival-rate' || timing.executor === 'ramping-arrival-rate';
}

function countArrival(group: string): { readonly dropped: Counter } {
  recorder.counter('arrivals_total', { group }).add();
  return { dropped: recorder.counter('dropped_iterations_total', { group }) };
}

function runActor(group: Group, context: ActorContext): Promise<void> {
  switch (group.actor) {
    case 'flv-viewer':
      return runFlvViewer(context, group.options);
    case 'hls-viewer':
      return runHlsViewer(context, group.options);
    case 'room-member':
      return runRoomMember(context, group.options);
    case 'shopper':
      return runShopper(context, group.options);
    default:
      return assertNever(group);
  }
}
