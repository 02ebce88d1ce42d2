import { Button } from '@mantine/core';
import type { Order } from '@showfloor/protocol';
import { Link } from '@tanstack/react-router';
import { type ReactElement, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../design/icons.tsx';
import { formatMoney } from './money.ts';
import './receipt.css';

/** The lines of an order and what they came to. */
export function OrderLines({ order }: { readonly order: Order }): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <ul className="sf-receipt__lines">
        {order.lines.map((line) => (
          <li key={line.variantId} data-testid="order-line">
            <span>
              {line.quantity > 1 && `${t('order.quantity', { count: line.quantity })} `}
              {line.title}
              <span className="sf-muted"> {line.variantTitle}</span>
            </span>
            <span>{formatMoney(line.unitPriceMinor * line.quantity, order.currency)}</span>
          </li>
        ))}
      </ul>
      <p className="sf-receipt__total">
        <span>{t('order.total')}</span>
        <strong data-testid="order-total">{formatMoney(order.totalMinor, order.currency)}</strong>
      </p>
    </>
  );
}

type PaidReceiptProps = { readonly order: Order; readonly onClose: () => void };

/** Paid, inside the bag: the show goes on behind it. */
export function PaidReceipt({ order, onClose }: PaidReceiptProps): ReactElement {
  const { t } = useTranslation();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <div className="sf-receipt" data-testid="receipt" data-order-id={order.id}>
      <span className="sf-receipt__mark" aria-hidden="true">
        <Icon name="check" size={28} />
      </span>
      <h2 ref={title} tabIndex={-1} className="sf-receipt__title">
        {t('order.paid')}
      </h2>
      <p className="sf-muted" data-testid="order-number">
        {t('order.number', { number: order.number })}
      </p>
      {order.email !== null && <p className="sf-muted">{t('order.keptUnder', { email: order.email })}</p>}
      <OrderLines order={order} />
      <Button size="lg" fullWidth onClick={onClose}>
        {t('cart.keepWatching')}
      </Button>
      <Link to="/orders/$orderId" params={{ orderId: order.id }} onClick={onClose} data-testid="order-link">
        {t('order.open')}
      </Link>
    </div>
  );
}
