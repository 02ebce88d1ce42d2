import { Button, Loader } from '@mantine/core';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { type ReactElement, useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type ApiProblem, asProblem } from '../api/http.ts';
import { queryClient } from '../api/query-client.ts';
import { redeemSignInLink } from '../api/shop-api.ts';
import { EmptyState, Notice } from '../design/notice.tsx';
import { dropRoomTokens } from '../realtime/room-tokens.ts';

const route = getRouteApi('/signin');

/** Redeems a one-time link, then goes to the studio. The token leaves the address bar with it. */
export function SignInPage(): ReactElement {
  const { t } = useTranslation();
  const { token } = route.useSearch();
  const navigate = useNavigate();
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const isAsked = useRef(false);

  const redeem = useCallback(async () => {
    setProblem(null);
    try {
      await redeemSignInLink(token);
    } catch (error) {
      setProblem(asProblem(error));
      return;
    }
    dropRoomTokens();
    queryClient.removeQueries({ queryKey: ['cart'] });
    await navigate({ to: '/studio', replace: true });
  }, [navigate, token]);

  useEffect(() => {
    // A second use of the link would fail: asked once, however often effects run.
    if (isAsked.current || token === '') return;
    isAsked.current = true;
    void redeem();
  }, [redeem, token]);

  return (
    <main id="content" className="sf-page sf-page--narrow">
      {token === '' && <EmptyState title={t('signIn.bad')} text={t('signIn.missing')} />}
      {token !== '' && problem === null && (
        <p role="status">
          <Loader size="sm" /> {t('signIn.working')}
        </p>
      )}
      {problem?.isOutage === true && (
        <>
          <Notice tone="bad">{t('signIn.down')}</Notice>
          <Button mt="md" onClick={() => void redeem()}>
            {t('signIn.again')}
          </Button>
        </>
      )}
      {problem?.isOutage === false && <EmptyState title={t('signIn.bad')} text={t('signIn.badText')} />}
    </main>
  );
}
