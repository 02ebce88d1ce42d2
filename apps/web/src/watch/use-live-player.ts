import { type RefObject, useEffect, useRef, useState } from 'react';
import { LivePlayer, type LiveSource, type PlayerReport, preloadEngine } from './live-player.ts';
import type { Playhead } from './pin-gate.ts';
import type { PlayerChoice } from './playback-policy.ts';
import { keepPlayerChoice, readPlayerChoice } from './player-choice.ts';
import type { PlayerState } from './player-slate.ts';

/** The way of playing comes in its own chunk, asked for as soon as a watch page is on its way. */
export function preloadPlayer(): Promise<void> {
  return preloadEngine(readPlayerChoice(window.location.search));
}

const NO_PLAYHEAD: Playhead = { wallMs: null, isPaused: false };
const NO_REPORT: PlayerReport = { mode: null, joinMs: null, loads: 0 };

export type LivePlayerHandle = {
  readonly state: PlayerState;
  readonly choice: PlayerChoice;
  readonly choose: (choice: PlayerChoice) => void;
  readonly playhead: () => Playhead;
  readonly report: () => PlayerReport;
  readonly play: () => void;
  readonly pause: () => void;
  readonly retryNow: () => void;
};

/** Runs a player on the video element while mounted; `source` null: not known yet. */
export function useLivePlayer(
  video: RefObject<HTMLVideoElement | null>,
  source: LiveSource | null,
  isInterrupted: boolean,
): LivePlayerHandle {
  const player = useRef<LivePlayer | null>(null);
  const [state, setState] = useState<PlayerState>({ kind: 'loading' });
  const [choice, setChoice] = useState(() => readPlayerChoice(window.location.search));
  const latestChoice = useRef(choice);
  latestChoice.current = choice;
  const { flvUrl, hlsUrl } = source ?? {};

  useEffect(() => {
    const element = video.current;
    if (flvUrl === undefined || hlsUrl === undefined || element === null) return;
    player.current = new LivePlayer({
      video: element,
      source: { flvUrl, hlsUrl },
      choice: latestChoice.current,
      onState: setState,
    });
    return () => {
      player.current?.destroy();
      player.current = null;
      setState({ kind: 'loading' });
    };
  }, [flvUrl, hlsUrl, video]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new source means a new player, which has to be told too
  useEffect(() => player.current?.setInterrupted(isInterrupted), [isInterrupted, flvUrl]);

  const [handle] = useState(() => ({
    choose: (next: PlayerChoice) => {
      keepPlayerChoice(next);
      setChoice(next);
      player.current?.choose(next);
    },
    playhead: () => player.current?.playhead() ?? NO_PLAYHEAD,
    report: () => player.current?.report() ?? NO_REPORT,
    play: () => player.current?.play(),
    pause: () => player.current?.pause(),
    retryNow: () => player.current?.retryNow(),
  }));
  return { ...handle, state, choice };
}
