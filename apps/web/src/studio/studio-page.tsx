import { Button, Loader } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactElement, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../api/http.ts';
import { session } from '../api/session.ts';
import { useSessionUser } from '../api/use-session-user.ts';
import { EmptyState, Notice } from '../design/notice.tsx';
import { dropRoomTokens } from '../realtime/room-tokens.ts';
import { Catalogue } from './catalogue.tsx';
import { NewShowForm } from './new-show-form.tsx';
import { PastShows } from './past-shows.tsx';
import { ShowPanel } from './show-panel.tsx';
import { isOver } from './show-phase.ts';
import { getSellerProducts, getSellerShows } from './studio-api.ts';
import './studio.css';

const STUDIO_PERIOD_MS = 5_000;

/** The seller's desk: shows, stream key, pins, products and stock. */
export function StudioPage(): ReactElement {
  const { t } = useTranslation();
  const user = useSessionUser();
  const queryClient = useQueryClient();
  const shows = useQuery({
    queryKey: ['studio', 'shows'],
    queryFn: getSellerShows,
    retry: false,
    refetchInterval: ({ state }) => (isRefusal(state.error) ? false : STUDIO_PERIOD_MS),
  });
  const products = useQuery({
    queryKey: ['studio', 'products'],
    queryFn: getSellerProducts,
    enabled: shows.data !== undefined,
    retry: false,
    refetchInterval: STUDIO_PERIOD_MS,
  });
  useEffect(() => {
    document.title = `${t('studio.title')} · ${t('brand.name')}`;
  }, [t]);

  if (isRefusal(shows.error)) {
    return (
      <main id="content" className="sf-page">
        <EmptyState title={t('studio.signInFirst')} text={t('studio.signInText')} />
      </main>
    );
  }
  const signOut = async (): Promise<void> => {
    dropRoomTokens();
    await session.signOut();
    queryClient.removeQueries({ queryKey: ['cart'] });
    await queryClient.resetQueries({ queryKey: ['studio'] });
  };
  const mine = shows.data?.shows ?? [];
  const catalogue = products.data?.products ?? [];
  return (
    <main id="content" className="sf-page sf-studio" data-testid="studio">
      <div className="sf-studio__head">
        <div>
          <h1>{t('studio.title')}</h1>
          <p className="sf-muted">
            {user === null ? t('studio.lead') : t('studio.signedInAs', { name: user.displayName })}
          </p>
        </div>
        <Button variant="default" onClick={() => void signOut()}>
          {t('studio.signOut')}
        </Button>
      </div>
      {shows.isError && <Notice>{t('studio.down')}</Notice>}
      <section aria-labelledby="studio-shows" className="sf-studio__section">
        <h2 id="studio-shows">{t('studio.shows')}</h2>
        <NewShowForm />
        {shows.data === undefined && !shows.isError && <Loader size="sm" />}
        {shows.data?.shows.length === 0 && <p className="sf-muted">{t('studio.noShows')}</p>}
        {mine
          .filter(({ status }) => !isOver(status))
          .map((show) => (
            <ShowPanel key={show.id} show={show} catalogue={catalogue} />
          ))}
        <PastShows shows={mine.filter(({ status }) => isOver(status))} />
      </section>
      <Catalogue products={products.data?.products} />
    </main>
  );
}

/** Signed out, or not a seller. */
function isRefusal(error: unknown): boolean {
  if (error === null || error === undefined) return false;
  const { status } = asProblem(error);
  return status === 401 || status === 403;
}
