import { type ReactElement, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { serverClock } from '../api/server-clock.ts';
import type { PlaybackMode } from './playback-engine.ts';
import type { LivePlayerHandle } from './use-live-player.ts';

const LOOK_PERIOD_MS = 1_000;
/** A reading beyond this is a clock that is wrong or a publisher who is away: no figure then. */
const DELAY_MAX_MS = 60_000;

type Reading = { readonly mode: PlaybackMode; readonly tenthsOfSecond: number | null } | null;

/** How far the picture is behind the seller, and how it gets here. Not announced: it changes every second. */
export function LiveDelay({ player }: { readonly player: LivePlayerHandle }): ReactElement | null {
  const { t } = useTranslation();
  const reading = useReading(player);
  if (reading === null || (player.state.kind !== 'playing' && player.state.kind !== 'stalled')) return null;
  const { mode, tenthsOfSecond } = reading;
  return (
    <span className="sf-controls__delay" title={t(`player.modeName.${mode}`)} data-testid="live-delay">
      {tenthsOfSecond === null
        ? t('player.liveNow')
        : t('player.liveDelay', { seconds: (tenthsOfSecond / 10).toFixed(1) })}
    </span>
  );
}

function useReading({ report, playhead }: LivePlayerHandle): Reading {
  const [reading, setReading] = useState<Reading>(null);
  useEffect(() => {
    const look = (): void => {
      const { mode } = report();
      const { wallMs } = playhead();
      const delayMs = wallMs === null ? Number.NaN : serverClock.now() - wallMs;
      const isSane = delayMs > -1_000 && delayMs < DELAY_MAX_MS; // false for NaN
      const tenthsOfSecond = isSane ? Math.max(Math.round(delayMs / 100), 0) : null;
      setReading(mode === null ? null : { mode, tenthsOfSecond });
    };
    look();
    const timer = setInterval(look, LOOK_PERIOD_MS);
    return () => clearInterval(timer);
  }, [report, playhead]);
  return reading;
}
