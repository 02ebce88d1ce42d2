import { Button, Loader } from '@mantine/core';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type ReactElement, useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type ApiProblem, asProblem } from '../api/http.ts';
import { queryClient } from '../api/query-client.ts';
import { session } from '../api/session.ts';
import { redeemSignInLink } from '../api/shop-api.ts';
import { EmptyState, Notice } from '../design/notice.tsx';
import { dropRoomTokens } from '../realtime/room-tokens.ts';
import { isStudioUser } from './studio-role.ts';

const route = getRouteApi('/signin');

/**
 * Redeems a one-time link, then goes to the studio; a used link goes there too where the browser is still signed in. The
 * token leaves the address bar with it.
 */
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
      const refusal = asProblem(error);
      if (!refusal.isOutage && (await isInStudio())) await navigate({ to: '/studio', replace: true });
      else setProblem(refusal);
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
      {token === '' && <BadLink text={t('signIn.missing')} />}
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
      {problem?.isOutage === false && <BadLink text={t('signIn.badText')} />}
    </main>
  );
}

function BadLink({ text }: { readonly text: string }): ReactElement {
  const { t } = useTranslation();
  return (
    <EmptyState title={t('signIn.bad')} text={text}>
      <Link to="/studio">{t('signIn.toStudio')}</Link>
    </EmptyState>
  );
}

/** Whether this browser was signed in to the studio before; a shop that does not say counts as no. */
async function isInStudio(): Promise<boolean> {
  try {
    return isStudioUser((await session.open(null)).user);
  } catch {
    return false;
  }
}
