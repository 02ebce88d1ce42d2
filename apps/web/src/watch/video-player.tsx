import { Button, Loader } from '@mantine/core';
import { type ReactElement, type RefObject, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { serverClock } from '../api/server-clock.ts';
import { Icon } from '../design/icons.tsx';
import { PlayerControls } from './player-controls.tsx';
import type { Slate } from './player-slate.ts';
import type { LivePlayerHandle } from './use-live-player.ts';
import './video-player.css';

/** How often the element's data attributes follow the playhead. */
const DIAGNOSIS_PERIOD_MS = 100;

type VideoPlayerProps = {
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly player: LivePlayerHandle;
  readonly slate: Slate;
  readonly title: string;
  readonly posterUrl: string | null;
  /** When a planned show starts, as text. */
  readonly startsAt: string | null;
};

/** The picture, what stands in front of it, and its controls. */
export function VideoPlayer({ video, player, slate, title, posterUrl, startsAt }: VideoPlayerProps): ReactElement {
  const { t } = useTranslation();
  const frame = useRef<HTMLElement>(null);
  const [isMuted, setMuted] = useState(true);
  usePlayheadAttributes(frame, video, player);

  const setSound = (muted: boolean): void => {
    const element = video.current;
    if (element === null) return;
    element.muted = muted;
    if (!muted && element.volume === 0) element.volume = 0.8;
    setMuted(muted);
  };

  return (
    <section
      ref={frame}
      className="sf-player"
      aria-label={t('watch.video')}
      data-testid="player"
      data-player-state={player.state.kind}
      data-slate={slate ?? 'none'}
    >
      <video
        ref={video}
        className="sf-player__video"
        data-testid="video"
        aria-label={title}
        muted
        playsInline
        poster={posterUrl ?? undefined}
        onVolumeChange={({ currentTarget }) => setMuted(currentTarget.muted)}
      />
      {slate !== null && <PlayerSlate slate={slate} startsAt={startsAt} onPlay={player.play} />}
      {slate === null && isMuted && (
        <Button
          className="sf-player__unmute"
          color="dark.9"
          radius="xl"
          leftSection={<Icon name="soundOff" />}
          onClick={() => setSound(false)}
          data-testid="unmute"
        >
          {t('player.unmute')}
        </Button>
      )}
      <PlayerControls frame={frame} video={video} player={player} isMuted={isMuted} setMuted={setSound} />
    </section>
  );
}

type PlayerSlateProps = {
  readonly slate: Exclude<Slate, null>;
  readonly startsAt: string | null;
  readonly onPlay: () => void;
};

function PlayerSlate({ slate, startsAt, onPlay }: PlayerSlateProps): ReactElement {
  const { t } = useTranslation();
  const isBusy = slate === 'loading' || slate === 'unreachable' || slate === 'interrupted';
  return (
    <div className={`sf-slate sf-slate--${slate}`} role="status" data-testid="slate">
      {isBusy && <Loader color="white" size="sm" type="dots" />}
      <p className="sf-slate__title">{t(`slate.${slate}`)}</p>
      {slate === 'starting' && startsAt !== null && <p>{t('slate.startingAt', { when: startsAt })}</p>}
      {slate !== 'loading' && slate !== 'blocked' && <p>{t(`slate.${slate}Text`)}</p>}
      {slate === 'blocked' && (
        <Button size="lg" radius="xl" leftSection={<Icon name="play" />} onClick={onPlay}>
          {t('slate.play')}
        </Button>
      )}
    </div>
  );
}

/**
 * For tests and diagnosis, without rendering: the picture's ingest instant (and that of the element's time zero), its distance from
 * now, and how it gets here.
 */
function usePlayheadAttributes(
  frame: RefObject<HTMLElement | null>,
  video: RefObject<HTMLVideoElement | null>,
  { playhead, report }: Pick<LivePlayerHandle, 'playhead' | 'report'>,
) {
  useEffect(() => {
    const timer = setInterval(() => {
      const data = frame.current?.dataset;
      const { wallMs } = playhead();
      if (data === undefined) return;
      const { mode, joinMs, loads } = report();
      data.mode = mode ?? 'none';
      data.joinMs = joinMs === null ? '' : String(Math.round(joinMs));
      data.loads = String(loads);
      data.playheadWallMs = wallMs === null ? '' : String(Math.round(wallMs));
      data.zeroWallMs = wallMs === null ? '' : String(Math.round(wallMs - (video.current?.currentTime ?? 0) * 1_000));
      data.latencyMs = wallMs === null ? '' : String(Math.round(serverClock.now() - wallMs));
    }, DIAGNOSIS_PERIOD_MS);
    return () => clearInterval(timer);
  }, [frame, video, playhead, report]);
}
