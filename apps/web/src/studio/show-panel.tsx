import { Button } from '@mantine/core';
import type { ProductCard, ShowSummary } from '@showfloor/protocol';
import { Link } from '@tanstack/react-router';
import { type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { LiveBadge } from '../design/live-badge.tsx';
import { ActionProblem } from './action-problem.tsx';
import { ShowProducts } from './show-products.tsx';
import { StreamKeyPanel } from './stream-key-panel.tsx';
import { stopShow } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

type ShowPanelProps = { readonly show: ShowSummary; readonly catalogue: readonly ProductCard[] };

/** One show: its state, its key while it can go on air, its products. */
export function ShowPanel({ show, catalogue }: ShowPanelProps): ReactElement {
  const { t } = useTranslation();
  const isOver = show.status === 'ended' || show.status === 'cancelled';
  const isOnAir = show.status === 'live' || show.status === 'interrupted';
  return (
    <article
      className="sf-studio__show sf-card"
      aria-label={show.title}
      data-testid="studio-show"
      data-playback-id={show.playbackId}
      data-status={show.status}
    >
      <div className="sf-studio__show-head">
        <div>
          <h3 className="sf-studio__show-title">{show.title}</h3>
          {show.status === 'live' ? (
            <LiveBadge />
          ) : (
            <span className="sf-muted">{t(`studio.status_${show.status}`)}</span>
          )}
        </div>
        <div className="sf-studio__row">
          <Button
            variant="default"
            renderRoot={(props) => <Link to="/live/$playbackId" params={{ playbackId: show.playbackId }} {...props} />}
          >
            {t('studio.watch')}
          </Button>
          {isOnAir && <StopButton showId={show.id} />}
        </div>
      </div>
      {!isOver && <StreamKeyPanel showId={show.id} />}
      {!isOver && <ShowProducts show={show} catalogue={catalogue} />}
    </article>
  );
}

/** Ending a show cannot be undone: asked twice. */
function StopButton({ showId }: { readonly showId: string }): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <Button variant="light" onClick={() => setAsking(true)}>
        {t('studio.stop')}
      </Button>
    );
  }
  return (
    <div className="sf-studio__row">
      <span role="status">{t('studio.stopSure')}</span>
      <Button loading={action.isBusy} onClick={() => void action.run(() => stopShow(showId))}>
        {t('studio.stopYes')}
      </Button>
      <Button variant="default" autoFocus onClick={() => setAsking(false)}>
        {t('studio.stopNo')}
      </Button>
      <ActionProblem action={action} />
    </div>
  );
}
