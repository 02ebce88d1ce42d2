import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { processTree, proportionalBytes } from './processes.ts';

export const IDLE_MEMORY_MB_MAX = 600;
export const WATCH_SCRIPT_KB_MAX = 250;

/** Memory of every process below the supervisor and itself, as a list by name, in MB (proportional set size). */
export function memoryByProcess(supervisorPid: number): { readonly name: string; readonly megabytes: number }[] {
  const weights = processTree(supervisorPid).map(({ pid, command }) => ({
    name: nameOf(command),
    megabytes: proportionalBytes(pid) / 2 ** 20,
  }));
  return [...Map.groupBy(weights, ({ name }) => name)].map(([name, group]) => ({
    name,
    megabytes: group.reduce((total, { megabytes }) => total + megabytes, 0),
  }));
}

/** Script of the watch page before the player, gzip, in kB: what `apps/web/scripts/check-bundle.ts` adds up. */
export function watchScriptKilobytes(): number {
  const script = resolve(import.meta.dirname, '../apps/web/scripts/check-bundle.ts');
  const { stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  const match = /([\d.]+) kB {2}watch page before the player/.exec(stdout);
  if (match === null) throw new Error(`the size check said nothing: ${stdout}`);
  return Number(match[1]);
}

function nameOf(command: string): string {
  const app = /apps\/([a-z-]+)\/src\/([a-z-]+)\.ts/.exec(command);
  if (app !== null) return app[2] === 'main' ? (app[1] ?? '') : `${app[1]} (${app[2]})`;
  return command.includes('postgres') ? 'PostgreSQL' : (command.split(' ')[0]?.split('/').at(-1) ?? command);
}
