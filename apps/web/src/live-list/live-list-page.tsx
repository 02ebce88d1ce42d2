import { Button, Skeleton } from '@mantine/core';
import type { ShowSummary } from '@showfloor/protocol';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactElement, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { getActiveShows, getUpcomingShows } from '../api/shop-api.ts';
import { LiveBadge } from '../design/live-badge.tsx';
import { EmptyState, Notice } from '../design/notice.tsx';
import { formatMoment } from '../text/moments.ts';
import './live-list.css';

const LIST_PERIOD_MS = 8_000;

/** What is on air, what is coming up, and what to do when nothing is. */
export function LiveListPage(): ReactElement {
  const { t } = useTranslation();
  const active = useQuery({
    queryKey: ['shows', 'active'],
    queryFn: ({ signal }) => getActiveShows(signal),
    refetchInterval: LIST_PERIOD_MS,
    retry: false,
  });
  const upcoming = useQuery({
    queryKey: ['shows', 'upcoming'],
    queryFn: ({ signal }) => getUpcomingShows(signal),
    refetchInterval: LIST_PERIOD_MS * 2,
    retry: false,
  });
  useEffect(() => {
    document.title = t('brand.name');
  }, [t]);

  const live = active.data?.shows;
  const planned = upcoming.data?.shows ?? [];
  return (
    <main id="content" className="sf-page">
      <div className="sf-list__head">
        <h1>{t('list.title')}</h1>
        <p className="sf-muted">{t('list.lead')}</p>
      </div>
      {active.isError && (
        <div className="sf-list__notice">
          <Notice testId="list-down">{live === undefined ? t('list.down') : t('list.stale')}</Notice>
        </div>
      )}
      {live === undefined && active.isPending && (
        <div className="sf-list__grid" role="status" aria-label={t('list.loading')}>
          <Skeleton className="sf-list__skeleton" radius="lg" />
          <Skeleton className="sf-list__skeleton" radius="lg" />
        </div>
      )}
      {live !== undefined && live.length > 0 && <ShowGrid shows={live} testId="live-shows" />}
      {live !== undefined && live.length === 0 && (
        <EmptyState title={t('list.empty')} text={t('list.emptyText')}>
          <Button renderRoot={(props) => <Link to="/studio" {...props} />}>{t('list.emptyAction')}</Button>
        </EmptyState>
      )}
      {planned.length > 0 && (
        <section className="sf-list__upcoming" aria-labelledby="upcoming">
          <h2 id="upcoming">{t('list.upcoming')}</h2>
          <ShowGrid shows={planned} testId="upcoming-shows" />
        </section>
      )}
    </main>
  );
}

function ShowGrid({
  shows,
  testId,
}: {
  readonly shows: readonly ShowSummary[];
  readonly testId: string;
}): ReactElement {
  return (
    <ul className={shows.length === 1 ? 'sf-list__grid sf-list__grid--one' : 'sf-list__grid'} data-testid={testId}>
      {shows.map((show) => (
        <li key={show.id}>
          <ShowCard show={show} />
        </li>
      ))}
    </ul>
  );
}

function ShowCard({ show }: { readonly show: ShowSummary }): ReactElement {
  const { t } = useTranslation();
  const isLive = show.status === 'live';
  return (
    <Link
      to="/live/$playbackId"
      params={{ playbackId: show.playbackId }}
      className="sf-show sf-card"
      data-testid="show-card"
    >
      <span className="sf-show__picture">
        {show.posterUrl === null ? (
          <span className="sf-show__initial" aria-hidden="true">
            {show.title.slice(0, 1)}
          </span>
        ) : (
          <img src={show.posterUrl} alt="" decoding="async" />
        )}
        <span className="sf-show__badge">
          {isLive ? (
            <LiveBadge />
          ) : (
            <span className="sf-show__state">{t(show.status === 'interrupted' ? 'list.back' : 'list.soon')}</span>
          )}
        </span>
      </span>
      <span className="sf-show__text">
        <span className="sf-show__title">{show.title}</span>
        <span className="sf-muted">{t('list.by', { seller: show.sellerName })}</span>
        {show.description !== '' && <span className="sf-show__description">{show.description}</span>}
        {!isLive && show.status !== 'interrupted' && (
          <span className="sf-muted">
            {show.scheduledAtMs === null ? t('list.timeOpen') : formatMoment(show.scheduledAtMs)}
          </span>
        )}
        {isLive && (
          <span className="sf-show__watch" aria-hidden="true">
            {t('list.watch')}
          </span>
        )}
      </span>
    </Link>
  );
}
