import { ActionIcon } from '@mantine/core';
import { type ReactElement, type RefObject, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon, type IconName } from '../design/icons.tsx';
import { LiveDelay } from './live-delay.tsx';
import { PlayerMenu } from './player-menu.tsx';
import type { LivePlayerHandle } from './use-live-player.ts';

type PlayerControlsProps = {
  readonly frame: RefObject<HTMLElement | null>;
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly player: LivePlayerHandle;
  readonly isMuted: boolean;
  readonly setMuted: (muted: boolean) => void;
};

/** Play, sound, how to play and full screen: plain buttons and a slider, in this order for the keyboard. */
export function PlayerControls({ frame, video, player, isMuted, setMuted }: PlayerControlsProps): ReactElement {
  const { t } = useTranslation();
  const [volume, setVolume] = useState(0.8);
  const isFullscreen = useIsFullscreen(frame);
  const isPaused = player.state.kind === 'paused' || player.state.kind === 'blocked';
  const canPause = isPaused || player.state.kind === 'playing' || player.state.kind === 'stalled';

  const changeVolume = (next: number): void => {
    setVolume(next);
    if (video.current !== null) video.current.volume = next;
    setMuted(next === 0);
  };

  return (
    <fieldset className="sf-controls" aria-label={t('player.controls')}>
      <Control
        icon={isPaused ? 'play' : 'pause'}
        label={isPaused ? t('player.play') : t('player.pause')}
        isDisabled={!canPause}
        onClick={isPaused ? player.play : player.pause}
      />
      <Control
        icon={isMuted ? 'soundOff' : 'soundOn'}
        label={isMuted ? t('player.unmuteShort') : t('player.mute')}
        onClick={() => setMuted(!isMuted)}
      />
      <input
        className="sf-controls__volume"
        type="range"
        min={0}
        max={1}
        step={0.05}
        value={isMuted ? 0 : volume}
        aria-label={t('player.volume')}
        onChange={({ currentTarget }) => changeVolume(Number(currentTarget.value))}
      />
      <LiveDelay player={player} />
      <span className="sf-controls__space" />
      <PlayerMenu player={player} />
      <Control
        icon={isFullscreen ? 'fullscreenExit' : 'fullscreen'}
        label={isFullscreen ? t('player.fullscreenExit') : t('player.fullscreen')}
        onClick={() => toggleFullscreen(frame.current, video.current)}
      />
    </fieldset>
  );
}

type ControlProps = {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly isDisabled?: boolean;
};

function Control({ icon, label, onClick, isDisabled = false }: ControlProps): ReactElement {
  return (
    <ActionIcon
      className="sf-controls__button"
      variant="transparent"
      size={44}
      aria-label={label}
      title={label}
      disabled={isDisabled}
      onClick={onClick}
    >
      <Icon name={icon} size={22} />
    </ActionIcon>
  );
}

/** iPhones know full screen for the video element only. */
type AppleVideo = HTMLVideoElement & { readonly webkitEnterFullscreen?: () => void };

function toggleFullscreen(frame: HTMLElement | null, video: AppleVideo | null): void {
  if (document.fullscreenElement !== null && document.fullscreenElement !== undefined) {
    void document.exitFullscreen();
  } else if (frame?.requestFullscreen !== undefined) {
    frame.requestFullscreen().catch(() => video?.webkitEnterFullscreen?.());
  } else {
    video?.webkitEnterFullscreen?.();
  }
}

function useIsFullscreen(frame: RefObject<HTMLElement | null>): boolean {
  const [isFullscreen, setFullscreen] = useState(false);
  useEffect(() => {
    const follow = (): void =>
      setFullscreen(document.fullscreenElement !== null && document.fullscreenElement === frame.current);
    document.addEventListener('fullscreenchange', follow);
    return () => document.removeEventListener('fullscreenchange', follow);
  }, [frame]);
  return isFullscreen;
}
