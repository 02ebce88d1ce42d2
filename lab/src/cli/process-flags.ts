/** `--process NAME=PID`, `NAME=auto` and `--command NAME:stop=…`: which processes the faults of a scenario may touch. */
import { InvalidArgumentError } from 'commander';
import type { ProcessBindings } from '../faults/process-control.ts';

const PID_MIN = 2; // 1 is the system

/** Adds one `NAME=PID`. */
export function addProcess(text: string, known: ProcessBindings = {}): ProcessBindings {
  const [, name, digits] = /^([\w-]+)=(\d+|auto)$/.exec(text) ?? [];
  if (name !== undefined && digits === 'auto') return { ...known, [name]: { ...known[name], isAuto: true } };
  const pid = Number(digits);
  if (name === undefined || pid < PID_MIN || pid === process.pid) {
    throw new InvalidArgumentError(
      'It must be a name and a pid, e.g. media-server=1234, or media-server=auto on this machine.',
    );
  }
  return { ...known, [name]: { ...known[name], pid } };
}

/** Adds one `NAME:stop=COMMAND` or `NAME:start=COMMAND`. */
export function addCommand(text: string, known: ProcessBindings = {}): ProcessBindings {
  const [, name, verb, command] = /^([\w-]+):(stop|start)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || verb === undefined || command === undefined) {
    throw new InvalidArgumentError("It must be a name, stop or start, and a command, e.g. publisher:stop='kill 1234'.");
  }
  return { ...known, [name]: { ...known[name], [verb]: command } };
}

/** Both flags together, name by name. */
export function mergeBindings(processes: ProcessBindings = {}, commands: ProcessBindings = {}): ProcessBindings {
  const names = new Set([...Object.keys(processes), ...Object.keys(commands)]);
  return Object.fromEntries([...names].map((name) => [name, { ...processes[name], ...commands[name] }]));
}
