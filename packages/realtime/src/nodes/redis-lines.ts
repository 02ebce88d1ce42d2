import { createClient } from 'redis';

/** Commands that may wait for their answer on one connection; past it Redis is not keeping up, and counts as down. */
export const COMMANDS_WAITING_MAX = 5_000;

type Line = ReturnType<typeof createLine>;

/** The three connections of a node: short commands, messages of the other nodes, and reads that block. */
export type RedisLines = { readonly commands: Line; readonly listener: Line; readonly reader: Line };

export type RedisLinesOptions = {
  readonly url: string;
  /** How long all three may take to be usable, in ms. */
  readonly patienceMs: number;
  readonly waitingMax: number;
  /** One of the lines is gone. May be called more than once, and while they open. */
  readonly onLost: (error: Error) => void;
};

/**
 * Opens the lines, or rejects within `patienceMs` and leaves nothing open. They do not reconnect by themselves, and nothing
 * waits on them while they are away: the owner opens new ones.
 */
export async function openLines(options: RedisLinesOptions): Promise<RedisLines> {
  const lines: RedisLines = {
    commands: createLine(options),
    listener: createLine(options),
    reader: createLine(options),
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    const opened = Promise.all([lines.commands.connect(), lines.listener.connect(), lines.reader.connect()]);
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), options.patienceMs);
    });
    await Promise.race([opened, late]);
    return lines;
  } catch (error) {
    closeLines(lines);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Ends the lines at once: what waits on them is rejected. */
export function closeLines(lines: RedisLines): void {
  for (const line of [lines.commands, lines.listener, lines.reader]) line.destroy();
}

function createLine({ url, patienceMs, waitingMax, onLost }: RedisLinesOptions) {
  const line = createClient({
    url,
    RESP: 2, // what the Socket.IO adapter reads
    socket: { connectTimeout: patienceMs, reconnectStrategy: false },
    disableOfflineQueue: true,
    commandsQueueMaxLength: waitingMax,
    disableClientInfo: true,
  });
  return line.on('error', onLost);
}
