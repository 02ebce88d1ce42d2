import { readFileSync } from 'node:fs';
import { type PublishLoopState, parsePublishUrl, publishFlvLoop } from '@showfloor/rtmp-client';
import { StartError } from '@showfloor/service-kit';

/** Adds a stream key to a publish URL: `…/live/{playbackId}?key={secret}`. Throws {@link StartError}. */
export function publishUrl(url: string, key: string): string {
  let complete = url;
  if (key.includes('?key='))
    complete = `${url.replace(/\/$/, '')}/${key}`; // as the studio shows it for OBS
  else if (key !== '') complete = `${url}${url.includes('?') ? '&' : '?'}key=${encodeURIComponent(key)}`;
  try {
    parsePublishUrl(complete);
  } catch {
    throw new StartError(
      '--url: expected rtmp://host[:port]/live/{show}, with the key in --key or SHOWFLOOR_STREAM_KEY',
    );
  }
  return complete;
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
      return `${REFUSALS[state.reason]}${code}${next}`;
    }
    case 'stopped':
      return 'stopped';
  }
}

const REFUSALS = {
  bad_name: 'somebody else is on air with this key',
  denied: 'the key is not valid or the show is over: look at the show in the studio',
  failed: 'the server could not decide',
  rejected: 'the server refused the connection: the path must begin with /live',
  unreachable: 'nobody listens at this address',
  tls: 'no secure connection: the certificate is not valid for this name',
  timeout: 'no answer',
  closed: 'the connection ended',
  stalled: 'the server takes no more',
  protocol: 'the answer was not RTMP',
  aborted: 'stopped',
} as const;
