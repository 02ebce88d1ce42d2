import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { RecordingError, type ReplayedSession, replayViewer } from '../player/replay-viewer.ts';
import { EXIT_CODES } from '../verdict/verdict.ts';

/** `replay FILE`: what the recorded viewers of a run saw, computed again from what went into their players. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('play the recorded viewers of a run again, to the exact stall')
    .argument('<run-dir>', 'folder that a run made, or its events.jsonl')
    .action(async (name: string) => {
      process.exitCode = await replay(resolve(name));
    });
}

async function replay(path: string): Promise<number> {
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, 'events.jsonl') : path;
  if (!existsSync(file)) return refuse(`${file} is not there`);
  try {
    const sessions = replayViewer((await readFile(file, 'utf8')).split('\n'));
    if (sessions.length === 0) return refuse(`${file} has no recorded viewer: a scenario records with recordEvery`);
    for (const session of sessions) console.log(describe(session));
    return EXIT_CODES.passed;
  } catch (error) {
    if (error instanceof RecordingError) return refuse(`${file}: ${error.message}`);
    throw error;
  }
}

function describe({ vu, profile, totals, stalls, jumps }: ReplayedSession): string {
  const { startupMs, watchedMs, playedMs, stalledMs } = totals;
  const started = startupMs === null ? 'never started' : `started after ${seconds(startupMs)}`;
  const lines = [
    `viewer ${vu} (${profile}): ${started}, watched ${seconds(watchedMs)}, played ${seconds(playedMs)}, stalled ${seconds(stalledMs)}`,
    ...stalls.map(
      ({ startedMs, durationMs, cause, isTainted }) =>
        `  stall at ${seconds(startedMs)} for ${seconds(durationMs)}: ${cause}${isTainted ? ' (shorter than the lag of the generator)' : ''}`,
    ),
    ...jumps.map(({ atMs, mediaMs }) => `  jump at ${seconds(atMs)} over ${seconds(mediaMs)} of media`),
  ];
  return lines.join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}

function refuse(message: string): number {
  console.error(`lab: ${message}`);
  return EXIT_CODES.usage;
}
