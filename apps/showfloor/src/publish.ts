import { readFileSync } from 'node:fs';
import { describeRefusal, type PublishLoopState, publishFlvLoop, withStreamKey } from '@showfloor/rtmp-client';
import { StartError } from '@showfloor/service-kit';

/** Adds a stream key to a publish URL: `…/live/{playbackId}?key={secret}`. Throws {@link StartError}. */
export function publishUrl(url: string, key: string): string {
  try {
    return withStreamKey(url, key);
  } catch {
    throw new StartError(
      '--url: expected rtmp://host[:port]/live/{show}, with the key in --key or SHOWFLOOR_STREAM_KEY',
    );
  }
}

/** The secret key on standard input, for `--key -`. */
export function readKeyFromInput(): string {
  return readFileSync(0, 'utf8').trim();
}

export type PublishOptions = {
  readonly url: string;
  readonly file: string;
  readonly isOnce: boolean;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
};

/**
 * Plays `file` to `url`: for ever, or once through. Resolves with the exit code: 1 when it was refused with no hope that
 * trying again helps (only with `isOnce`). Throws {@link StartError} for a file that cannot be played.
 */
export async function publish(options: PublishOptions): Promise<number> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let exitCode = 0;
  try {
    await publishFlvLoop({
      url: options.url,
      filePath: options.file,
      signal,
      onState: (state) => {
        options.print(describeState(state, options.isOnce));
        if (options.isOnce && state.kind === 'waiting') {
          exitCode = 1;
          stop.abort();
        }
      },
      onStats: ({ rounds }) => {
        if (options.isOnce && rounds > 0) stop.abort();
      },
    });
  } catch (error) {
    throw new StartError(
      `${options.file} cannot be published: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return exitCode;
}

function describeState(state: PublishLoopState, isOnce: boolean): string {
  switch (state.kind) {
    case 'connecting':
      return state.attempt === 1 ? 'connecting …' : `connecting, attempt ${state.attempt} …`;
    case 'publishing':
      return `on air after ${Math.round(state.connectMs)} ms (Ctrl-C stops)`;
    case 'waiting': {
      const code = state.statusCode === undefined ? '' : ` (${state.statusCode})`;
      const next = isOnce ? '' : `; again in ${(state.retryInMs / 1000).toFixed(1)} s`;
      return `${describeRefusal(state.reason)}${code}${next}`;
    }
    case 'stopped':
      return 'stopped';
  }
}
