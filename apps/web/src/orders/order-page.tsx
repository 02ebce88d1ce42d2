import { Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../api/http.ts';
import { getOrder } from '../api/shop-api.ts';
import { Icon } from '../design/icons.tsx';
import { EmptyState, Notice } from '../design/notice.tsx';
import { OrderLines } from '../shop/receipt.tsx';
import { formatMoment } from '../text/moments.ts';
import './order-page.css';

const route = getRouteApi('/orders/$orderId');
const ORDER_PERIOD_MS = 5_000;

/** The receipt, for the browser that placed the order. */
export function OrderPage(): ReactElement {
  const { t } = useTranslation();
  const { orderId } = route.useParams();
  const { data: order, error } = useQuery({
    queryKey: ['order', orderId],
    queryFn: () => getOrder(orderId),
    retry: false,
    refetchInterval: ({ state }) => {
      if (state.error !== null) return asProblem(state.error).isOutage ? ORDER_PERIOD_MS : false;
      return state.data?.status === 'pending_payment' ? ORDER_PERIOD_MS : false;
    },
  });

  if (order === undefined) {
    const isDown = error !== null && asProblem(error).isOutage;
    return (
      <main id="content" className="sf-page sf-page--narrow">
        {error === null && (
          <p role="status" className="sf-order__loading">
            <Loader size="sm" /> {t('order.loading')}
          </p>
        )}
        {isDown && <Notice>{t('order.down')}</Notice>}
        {error !== null && !isDown && (
          <EmptyState title={t('order.notFound')} text={t('order.notFoundText')}>
            <Link to="/">{t('order.toList')}</Link>
          </EmptyState>
        )}
      </main>
    );
  }
  return (
    <main id="content" className="sf-page sf-page--narrow">
      <article className="sf-order sf-card" data-testid="order" data-order-id={order.id} data-status={order.status}>
        <p className={`sf-order__status sf-order__status--${order.status}`} data-testid="order-status">
          {order.status === 'paid' && <Icon name="check" size={18} />}
          {t(`order.status_${order.status}`)}
        </p>
        <h1 data-testid="order-number">{t('order.title', { number: order.number })}</h1>
        <p className="sf-muted">{t('order.placed', { when: formatMoment(order.createdAtMs) })}</p>
        {order.email !== null && <p className="sf-muted">{t('order.keptUnder', { email: order.email })}</p>}
        <OrderLines order={order} />
      </article>
      <p className="sf-order__more">
        <Link to="/">{t('order.toList')}</Link>
      </p>
    </main>
  );
}
