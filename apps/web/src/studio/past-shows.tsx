import type { ShowSummary } from '@showfloor/protocol';
import { Link } from '@tanstack/react-router';
import { type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { formatMoment } from '../text/moments.ts';

/** Shows that are over, folded away: there is nothing to do about them. The newest first, as the shop lists them. */
export function PastShows({ shows }: { readonly shows: readonly ShowSummary[] }): ReactElement | null {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  if (shows.length === 0) return null;
  return (
    <details
      className="sf-studio__past"
      data-testid="studio-past"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>{t('studio.pastShows', { count: shows.length })}</summary>
      {isOpen && (
        <ul className="sf-studio__list">
          {shows.map((show) => (
            <li key={show.id} className="sf-studio__past-show" data-status={show.status}>
              <Link to="/live/$playbackId" params={{ playbackId: show.playbackId }}>
                {show.title}
              </Link>
              <span className="sf-muted">{t(`studio.status_${show.status}`)}</span>
              <PastMoment show={show} />
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}

/** When it began, or was meant to. */
function PastMoment({ show }: { readonly show: ShowSummary }): ReactElement | null {
  const atMs = show.startedAtMs ?? show.scheduledAtMs;
  return atMs === null ? null : <span className="sf-muted">{formatMoment(atMs)}</span>;
}
