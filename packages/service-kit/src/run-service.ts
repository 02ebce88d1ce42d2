import { countBug } from './assert.ts';
import { ConfigError } from './config.ts';
import { StartError } from './listen.ts';
import type { Logger } from './log.ts';

/** A started process: `close` drains it and resolves when nothing is left to do. */
export type Service = { readonly log: Logger; readonly close: () => Promise<void> };

/** Exit codes of our processes. 2: the environment must change first, so a supervisor does not restart. */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

const CLOSE_TIMEOUT_MS = 8_000;
/** npm passes Ctrl-C on to its child, which has already had it from the terminal: the second one is the same wish. */
const REPEATED_SIGNAL_MS = 500;

/**
 * The main function of every server: starts, says `ready` to its supervisor over IPC, and closes on INT, TERM, HUP or when
 * the supervisor is gone (its IPC channel closes). An unexpected error is counted, logged and ends the process: the
 * supervisor restarts it.
 */
export async function runService(start: () => Promise<Service>): Promise<void> {
  // A supervisor that dies while we start must not leave us behind: there is nothing to drain yet.
  const leave = (): never => process.exit(EXIT_FAILED);
  if (process.send !== undefined) {
    if (!process.connected) leave();
    process.once('disconnect', leave);
  }
  let service: Service;
  try {
    service = await start();
  } catch (error) {
    failStart(error);
    return;
  }
  let closingSinceMs = 0;
  const close = (reason: string, exitCode: number): void => {
    if (closingSinceMs > 0) {
      if (Date.now() - closingSinceMs > REPEATED_SIGNAL_MS && reason.startsWith('SIG')) process.exit(EXIT_FAILED);
      return;
    }
    closingSinceMs = Date.now();
    service.log.info({ reason }, 'service.stopping');
    setTimeout(() => process.exit(EXIT_FAILED), CLOSE_TIMEOUT_MS).unref();
    service.close().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        service.log.error({ err: error }, 'service.close_failed');
        process.exit(EXIT_FAILED);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => close(signal, EXIT_OK));
  if (process.send !== undefined) {
    process.off('disconnect', leave);
    process.on('disconnect', () => close('supervisor_gone', EXIT_OK));
    process.send({ type: 'ready' }, undefined, undefined, () => undefined); // not heard: `disconnect` follows
  }
  const onBug = (error: unknown): void => {
    countBug();
    service.log.fatal({ err: error }, 'service.failed');
    close('bug', EXIT_FAILED);
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  service.log.info({ pid: process.pid }, 'service.started');
}

function failStart(error: unknown): void {
  if (error instanceof ConfigError || error instanceof StartError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT_USAGE);
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(EXIT_FAILED);
}
