/** `--process NAME=auto`: the process behind a plane of a target on this machine, by the port it listens on. */
import { PROC, pidListeningOn, readText } from '../collectors/proc-files.ts';
import { isThisHost } from '../run-folder/fingerprint.ts';
import type { TargetDescription } from '../target/target.ts';
import type { ProcessBindings } from './process-control.ts';

/** It cannot be told which process is meant; then none is touched. */
export class ProcessNotFoundError extends Error {
  override readonly name = 'ProcessNotFoundError';
}

/** A process that was found, for people to see before anything happens to it. */
export type FoundProcess = {
  readonly name: string;
  readonly pid: number;
  readonly command: string;
  readonly port: number;
};

const INIT_PID = 1;
const COMMAND_CHARS_MAX = 120;

/** The names that can be looked for, each with the address at which its plane answers. */
function addressesOf({ flvUrl, hls, room, shop }: TargetDescription): Readonly<Record<string, string | undefined>> {
  return {
    'media-server': flvUrl ?? hls?.url,
    'realtime-server': room?.webSocketUrl,
    'commerce-server': shop?.baseUrl,
  };
}

/** Replaces `auto` by pids. Only names that the user gave are looked for. Throws {@link ProcessNotFoundError}. */
export async function findProcesses(
  bindings: ProcessBindings,
  target: TargetDescription,
): Promise<{ readonly bindings: ProcessBindings; readonly found: readonly FoundProcess[] }> {
  const wanted = Object.entries(bindings).filter(([, { isAuto }]) => isAuto === true);
  const found = await Promise.all(wanted.map(([name]) => findProcess(name, target)));
  const pids = found.map(({ name, pid }) => [name, { ...bindings[name], pid }] as const);
  return { bindings: { ...bindings, ...Object.fromEntries(pids) }, found };
}

async function findProcess(name: string, target: TargetDescription): Promise<FoundProcess> {
  const addresses = addressesOf(target);
  const address = addresses[name];
  if (address === undefined) {
    const known = Object.keys(addresses).filter((one) => addresses[one] !== undefined);
    throw new ProcessNotFoundError(`--process ${name}=auto: it can be looked for ${known.join(', ')}; give the pid`);
  }
  if (!(await isThisHost(address))) {
    throw new ProcessNotFoundError(`--process ${name}=auto: the target is on another machine; use --command`);
  }
  const url = new URL(address);
  const port = Number(url.port || (/^(https|wss):$/.test(url.protocol) ? 443 : 80));
  const pid = pidListeningOn(port);
  if (pid === null || [INIT_PID, process.pid, process.ppid].includes(pid)) {
    throw new ProcessNotFoundError(`--process ${name}=auto: nobody that could be touched listens on port ${port}`);
  }
  const command = (readText(`${PROC}/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
  return { name, pid, command: command.slice(0, COMMAND_CHARS_MAX), port };
}
