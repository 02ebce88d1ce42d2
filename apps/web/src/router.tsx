import { Button } from '@mantine/core';
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { AppHeader } from './design/app-header.tsx';
import { EmptyState } from './design/notice.tsx';
import { LiveListPage } from './live-list/live-list-page.tsx';
import { CartProvider } from './shop/cart-context.tsx';
import { preloadPlayer } from './watch/use-live-player.ts';
import { WatchPage } from './watch/watch-page.tsx';

const rootRoute = createRootRoute({ component: Layout, errorComponent: Broken, notFoundComponent: NotFound });

const listRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: LiveListPage });

const watchRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/live/$playbackId',
  component: WatchPage,
  // Not awaited: the page stands while the player is on its way.
  onEnter: () => void preloadPlayer().catch(() => undefined),
});

const orderRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/orders/$orderId',
  component: lazyRouteComponent(() => import('./orders/order-page.tsx'), 'OrderPage'),
});

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/signin',
  validateSearch: ({ token }: Record<string, unknown>): { token: string } => ({
    token: typeof token === 'string' || typeof token === 'number' ? String(token) : '',
  }),
  component: lazyRouteComponent(() => import('./account/signin-page.tsx'), 'SignInPage'),
});

const studioRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/studio',
  component: lazyRouteComponent(() => import('./studio/studio-page.tsx'), 'StudioPage'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([listRoute, watchRoute, orderRoute, signInRoute, studioRoute]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

function Layout(): ReactElement {
  const { t } = useTranslation();
  return (
    <CartProvider>
      <a className="sf-skip" href="#content">
        {t('brand.skip')}
      </a>
      <AppHeader />
      <Outlet />
    </CartProvider>
  );
}

/** A view failed to draw or its chunk could not be loaded: the rest of the tab (holds, attempt to pay) is kept. */
function Broken(): ReactElement {
  const { t } = useTranslation();
  return (
    <main id="content" className="sf-page">
      <EmptyState title={t('error.title')} text={t('error.text')}>
        <Button onClick={() => window.location.reload()}>{t('error.reload')}</Button>
      </EmptyState>
    </main>
  );
}

function NotFound(): ReactElement {
  const { t } = useTranslation();
  return (
    <main id="content" className="sf-page">
      <EmptyState title={t('error.notFound')} text={t('error.notFoundText')}>
        <a href="/">{t('watch.toList')}</a>
      </EmptyState>
    </main>
  );
}
