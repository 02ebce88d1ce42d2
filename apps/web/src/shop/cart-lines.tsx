import { ActionIcon, Button } from '@mantine/core';
import type { CartLine } from '@showfloor/protocol';
import { type ReactElement, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApiProblem } from '../api/http.ts';
import { Icon } from '../design/icons.tsx';
import { Notice } from '../design/notice.tsx';
import { useCart } from './cart-context.tsx';
import { holdCountdown } from './hold-countdown.ts';
import { formatMoney } from './money.ts';
import { ProductPicture } from './product-picture.tsx';
import { useServerNow } from './use-now.ts';

/** The shop takes ended holds out of the cart within seconds; until then it is asked this often. */
const ENDED_HOLD_PERIOD_MS = 1_500;

/** What is held and for how long. */
export function CartLines(): ReactElement {
  const { t } = useTranslation();
  const { cart, isDown, goTo, close, reload } = useCart();
  const lines = cart?.lines ?? [];
  const nowMs = useServerNow(lines.length > 0);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const endedTotal = useEndedHolds(lines, nowMs, reload);
  const checkOutButton = useRef<HTMLButtonElement>(null);
  const keepWatchingButton = useRef<HTMLButtonElement>(null);
  const isEmpty = lines.length === 0;
  useEffect(() => {
    // Coming back from paying, or after the last line went: the focus must not fall out of the sheet.
    (isEmpty ? keepWatchingButton : checkOutButton).current?.focus();
  }, [isEmpty]);

  const notices = (
    <>
      {isDown && <Notice action={{ label: t('shop.retry'), onClick: reload }}>{t('cart.down')}</Notice>}
      {endedTotal > 0 && <Notice tone="bad">{t('cart.expired')}</Notice>}
      {problem !== null && <Notice tone="bad">{problem.message}</Notice>}
    </>
  );
  if (cart === undefined || isEmpty) {
    return (
      <div className="sf-cart">
        {notices}
        <h3>{t('cart.empty')}</h3>
        <p className="sf-muted">{t('cart.emptyText')}</p>
        <Button ref={keepWatchingButton} variant="default" data-autofocus onClick={close}>
          {t('cart.keepWatching')}
        </Button>
      </div>
    );
  }
  return (
    <div className="sf-cart">
      {notices}
      <ul className="sf-cart__lines">
        {lines.map((line) => (
          <Line key={line.id} line={line} nowMs={nowMs} onProblem={setProblem} />
        ))}
      </ul>
      <p className="sf-cart__total">
        <span>{t('cart.total')}</span>
        <strong data-testid="cart-total">{formatMoney(cart.totalMinor, cart.currency ?? 'EUR')}</strong>
      </p>
      <Button
        ref={checkOutButton}
        size="lg"
        fullWidth
        data-autofocus
        onClick={() => goTo('pay')}
        data-testid="checkout-open"
      >
        {t('cart.checkout')}
      </Button>
      <Button variant="default" fullWidth onClick={close}>
        {t('cart.keepWatching')}
      </Button>
    </div>
  );
}

type LineProps = {
  readonly line: CartLine;
  readonly nowMs: number;
  readonly onProblem: (problem: ApiProblem | null) => void;
};

function Line({ line, nowMs, onProblem }: LineProps): ReactElement {
  const { t } = useTranslation();
  const { remove } = useCart();
  const [isBusy, setBusy] = useState(false);
  const countdown = holdCountdown(line.holdExpiresAtMs, nowMs);
  const onRemove = async (): Promise<void> => {
    setBusy(true);
    onProblem(await remove(line.id));
    setBusy(false);
  };
  return (
    <li className="sf-line" data-testid="cart-line" data-line-id={line.id}>
      <ProductPicture imageUrl={line.imageUrl} className="sf-line__picture" />
      <div className="sf-line__text">
        <h3>{line.title}</h3>
        <p className="sf-muted">
          {line.quantity > 1 && `${t('cart.quantity', { count: line.quantity })} `}
          {line.variantTitle}
        </p>
        <p
          className={`sf-hold sf-hold--${countdown.phase}`}
          role="timer"
          aria-live="off"
          data-testid="hold-countdown"
          data-remaining-ms={Math.round(countdown.remainingMs)}
        >
          {countdown.phase === 'over' ? t('cart.holdOver') : t('cart.heldFor', { time: countdown.text })}
        </p>
      </div>
      <div className="sf-line__side">
        <strong>{formatMoney(line.unitPriceMinor * line.quantity, line.currency)}</strong>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={44}
          loading={isBusy}
          aria-label={t('cart.remove', { title: line.title })}
          onClick={() => void onRemove()}
        >
          <Icon name="trash" />
        </ActionIcon>
      </div>
    </li>
  );
}

/** Asks for the cart until the holds that ran out have left it; counts those that ended while the bag was open. */
function useEndedHolds(lines: readonly CartLine[], nowMs: number, reload: () => void): number {
  const ended = useRef(new Set<string>());
  const over = lines.filter(({ holdExpiresAtMs }) => holdExpiresAtMs <= nowMs);
  for (const { id } of over) ended.current.add(id);
  const isWaiting = over.length > 0;
  const reloadCart = useRef(reload);
  reloadCart.current = reload;
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => reloadCart.current(), ENDED_HOLD_PERIOD_MS);
    return () => clearInterval(timer);
  }, [isWaiting]);
  return ended.current.size;
}
