import { type RefObject, useEffect, useRef, useState } from 'react';
import type { LivePlayer } from './live-player.ts';
import type { Playhead } from './pin-gate.ts';
import type { PlayerState } from './player-slate.ts';

/** mpegts.js comes in its own chunk, asked for as soon as a watch page is on its way. */
export function preloadPlayer(): Promise<typeof import('./live-player.ts')> {
  return import('./live-player.ts');
}

const NO_PLAYHEAD: Playhead = { wallMs: null, isPaused: false };
const CHUNK_RETRY_MS = 3_000;

export type LivePlayerHandle = {
  readonly state: PlayerState;
  readonly playhead: () => Playhead;
  readonly play: () => void;
  readonly pause: () => void;
  readonly retryNow: () => void;
};

/** Runs a player on the video element while mounted; `url` null: not known yet. */
export function useLivePlayer(
  video: RefObject<HTMLVideoElement | null>,
  url: string | null,
  isInterrupted: boolean,
): LivePlayerHandle {
  const player = useRef<LivePlayer | null>(null);
  const [state, setState] = useState<PlayerState>({ kind: 'loading' });

  useEffect(() => {
    const element = video.current;
    if (url === null || element === null) return;
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const start = (): void => {
      preloadPlayer().then(
        ({ LivePlayer: Player }) => {
          if (!isGone) player.current = new Player({ video: element, url, onState: setState });
        },
        () => {
          timer = setTimeout(start, CHUNK_RETRY_MS);
        },
      );
    };
    start();
    return () => {
      isGone = true;
      clearTimeout(timer);
      player.current?.destroy();
      player.current = null;
      setState({ kind: 'loading' });
    };
  }, [url, video]);

  useEffect(() => player.current?.setInterrupted(isInterrupted), [isInterrupted]);

  const [handle] = useState(() => ({
    playhead: () => player.current?.playhead() ?? NO_PLAYHEAD,
    play: () => player.current?.play(),
    pause: () => player.current?.pause(),
    retryNow: () => player.current?.retryNow(),
  }));
  return { ...handle, state };
}
