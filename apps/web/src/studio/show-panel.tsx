import { Button } from '@mantine/core';
import type { ProductCard, ShowSummary } from '@showfloor/protocol';
import { Link } from '@tanstack/react-router';
import { type ReactElement, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { LiveBadge } from '../design/live-badge.tsx';
import { Notice } from '../design/notice.tsx';
import { formatClock, formatMoment } from '../text/moments.ts';
import { ConfirmButton } from './confirm-button.tsx';
import { EditShowForm } from './edit-show-form.tsx';
import { RestreamPanel } from './restream-panel.tsx';
import { isOnAir } from './show-phase.ts';
import { ShowProducts } from './show-products.tsx';
import { StreamKeyPanel } from './stream-key-panel.tsx';
import { cancelShow, stopShow } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

type ShowPanelProps = { readonly show: ShowSummary; readonly catalogue: readonly ProductCard[] };

/** A show that is not over: its state, its key, its products, and where else it is sent. */
export function ShowPanel({ show, catalogue }: ShowPanelProps): ReactElement {
  const { t } = useTranslation();
  const [isEditing, setEditing] = useState(false);
  const editor = useRef<HTMLButtonElement>(null);
  const closeEditor = (): void => {
    setEditing(false);
    editor.current?.focus();
  };
  return (
    <article
      className="sf-studio__show sf-card"
      aria-label={show.title}
      data-testid="studio-show"
      data-playback-id={show.playbackId}
      data-status={show.status}
    >
      <div className="sf-studio__show-head">
        <div className="sf-studio__show-name">
          <h3 className="sf-studio__show-title">{show.title}</h3>
          <ShowState show={show} />
        </div>
        <div className="sf-studio__row">
          <Button
            variant="default"
            renderRoot={(props) => <Link to="/live/$playbackId" params={{ playbackId: show.playbackId }} {...props} />}
          >
            {t('studio.watch')}
          </Button>
          <Button
            ref={editor}
            variant="default"
            aria-expanded={isEditing}
            aria-label={t('studio.editShowNamed', { title: show.title })}
            data-testid="studio-edit-show"
            onClick={() => setEditing(!isEditing)}
          >
            {t('studio.edit')}
          </Button>
          {isOnAir(show.status) ? <StopButton showId={show.id} /> : <CancelButton show={show} />}
        </div>
      </div>
      <RefusedEncoder show={show} />
      {isEditing && <EditShowForm show={show} onDone={closeEditor} />}
      <StreamKeyPanel showId={show.id} />
      <ShowProducts show={show} catalogue={catalogue} />
      <RestreamPanel show={show} />
    </article>
  );
}

/** For as long as a seller may wonder about it. */
const REFUSAL_SHOWN_MS = 10 * 60_000;

/** An encoder with the right key was turned away: the other one would never know why it is not seen. */
function RefusedEncoder({ show }: { readonly show: ShowSummary }): ReactElement | null {
  const { t } = useTranslation();
  const refused = show.publisherRefused;
  if (refused === undefined || Date.now() - refused.atMs > REFUSAL_SHOWN_MS) return null;
  return (
    <Notice testId="studio-refused-encoder">
      {t('studio.refusedEncoder', { at: formatClock(refused.atMs), text: refused.text })}
    </Notice>
  );
}

function ShowState({ show }: { readonly show: ShowSummary }): ReactElement {
  const { t } = useTranslation();
  if (show.status === 'live') return <LiveBadge />;
  const plannedAtMs = isOnAir(show.status) ? null : show.scheduledAtMs;
  return (
    <span className="sf-muted">
      {t(`studio.status_${show.status}`)}
      {plannedAtMs !== null && ` · ${formatMoment(plannedAtMs)}`}
    </span>
  );
}

function StopButton({ showId }: { readonly showId: string }): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  return (
    <ConfirmButton
      question={t('studio.stopSure')}
      yes={t('studio.stopYes')}
      no={t('studio.stopNo')}
      action={action}
      onYes={() => void action.run(() => stopShow(showId))}
    >
      {(ask, ref) => (
        <Button ref={ref} variant="light" onClick={ask}>
          {t('studio.stop')}
        </Button>
      )}
    </ConfirmButton>
  );
}

function CancelButton({ show }: { readonly show: ShowSummary }): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  return (
    <ConfirmButton
      question={t('studio.cancelSure')}
      yes={t('studio.cancelYes')}
      no={t('studio.cancelNo')}
      action={action}
      onYes={() => void action.run(() => cancelShow(show.id))}
    >
      {(ask, ref) => (
        <Button
          ref={ref}
          variant="default"
          aria-label={t('studio.cancelNamed', { title: show.title })}
          data-testid="studio-cancel-show"
          onClick={ask}
        >
          {t('studio.cancel')}
        </Button>
      )}
    </ConfirmButton>
  );
}
