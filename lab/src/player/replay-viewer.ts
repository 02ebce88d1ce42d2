/**
 * Plays a recorded viewer again, to the exact stall. A recording is lines of a run's `events.jsonl`: those named
 * `player_input` carry what went into a player, all others are skipped. Pure.
 */
import { Player, type PlayerOutput, type PlayerTotals } from './player.ts';
import type { PlayerInput } from './player-input.ts';
import { isPlayerProfileName, PLAYER_PROFILES, type PlayerProfile } from './player-profile.ts';

/** Name of the recorded events. */
export const PLAYER_INPUT_EVENT = 'player_input';

/** A stall as it was. Times count from the request of the session. */
export type ReplayedStall = {
  readonly startedMs: number;
  readonly durationMs: number;
  readonly cause: string;
  readonly isTainted: boolean;
};

/** One play attempt of one viewer. */
export type ReplayedSession = {
  readonly vu: number;
  readonly profile: PlayerProfile['name'];
  readonly totals: PlayerTotals;
  readonly stalls: readonly ReplayedStall[];
  readonly jumps: readonly { readonly atMs: number; readonly mediaMs: number }[];
};

/** A line that is no recording, with its number (from 1). */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

type Open = {
  readonly profile: PlayerProfile;
  readonly player: Player;
  readonly outputs: PlayerOutput[];
  requestedAtMs: number;
};

/** Sessions in the order they began. Throws {@link RecordingError}. */
export function replayViewer(lines: Iterable<string>): ReplayedSession[] {
  const sessions: { readonly vu: number; readonly open: Open }[] = [];
  const current = new Map<number, Open>();
  let number = 0;
  for (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    const recorded = readLine(line, number);
    if (recorded === null) continue;
    const { vu, profile, input } = recorded;
    if (input.type === 'request') {
      const open = openSession(profile, input.atMs);
      current.set(vu, open);
      sessions.push({ vu, open });
    }
    const open = current.get(vu);
    if (open === undefined) throw new RecordingError(`line ${number}: viewer ${vu} has not pressed play before`);
    feed(open.player, input);
  }
  return sessions.map(({ vu, open }) => summary(vu, open));
}

function openSession(profile: PlayerProfile, requestedAtMs: number): Open {
  const outputs: PlayerOutput[] = [];
  const player = new Player(profile, (output) => {
    if (output.type !== 'passed') outputs.push(output);
  });
  return { profile, player, outputs, requestedAtMs };
}

function readLine(line: string, number: number): { vu: number; profile: PlayerProfile; input: PlayerInput } | null {
  let event: { name?: unknown; vu?: unknown; detail?: Record<string, unknown> };
  try {
    event = JSON.parse(line) as typeof event;
  } catch {
    throw new RecordingError(`line ${number} is not JSON`);
  }
  if (event.name !== PLAYER_INPUT_EVENT) return null;
  const { vu, detail = {} } = event;
  const { profile, ...input } = detail;
  if (typeof vu !== 'number' || typeof profile !== 'string' || !isPlayerProfileName(profile)) {
    throw new RecordingError(`line ${number} names no viewer, or no profile that is known`);
  }
  if (!isInput(input)) throw new RecordingError(`line ${number} is no input of a player`);
  return { vu, profile: PLAYER_PROFILES[profile], input };
}

const NUMBERS: Readonly<Record<PlayerInput['type'], readonly string[]>> = {
  request: ['atMs'],
  media: ['atMs', 'dtsMs', 'lagMs'],
  span: ['atMs', 'fromMs', 'toMs', 'playFromMs', 'lagMs'],
  reconnect: ['atMs'],
  complete: ['atMs'],
  end: ['atMs'],
  fail: ['atMs'],
};

function isInput(value: Record<string, unknown>): value is PlayerInput {
  const names = typeof value.type === 'string' && Object.hasOwn(NUMBERS, value.type) ? value.type : null;
  if (names === null) return false;
  return NUMBERS[names as PlayerInput['type']].every((name) => Number.isFinite(value[name]));
}

function feed(player: Player, input: PlayerInput): void {
  switch (input.type) {
    case 'request':
      player.request(input.atMs);
      return;
    case 'media':
      player.media(input.atMs, input, input.lagMs);
      return;
    case 'span':
      player.span(input.atMs, input, input.lagMs);
      return;
    default:
      player[input.type](input.atMs);
  }
}

function summary(vu: number, { profile, player, outputs, requestedAtMs }: Open): ReplayedSession {
  return {
    vu,
    profile: profile.name,
    totals: player.totals,
    stalls: outputs
      .filter((output) => output.type === 'stall')
      .map(({ startedAtMs, durationMs, cause, isTainted }) => ({
        startedMs: startedAtMs - requestedAtMs,
        durationMs,
        cause,
        isTainted,
      })),
    jumps: outputs
      .filter((output) => output.type === 'jump')
      .map(({ atMs, mediaMs }) => ({ atMs: atMs - requestedAtMs, mediaMs })),
  };
}
