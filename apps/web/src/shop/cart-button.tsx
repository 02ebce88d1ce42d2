import { Button, VisuallyHidden } from '@mantine/core';
import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../design/icons.tsx';
import { useCart } from './cart-context.tsx';
import { HoldAnnouncements } from './hold-announcements.tsx';
import { holdCountdown } from './hold-countdown.ts';
import { useServerNow } from './use-now.ts';

/** Opens the bag; shows how much is in it and how long the first hold still lasts. */
export function CartButton(): ReactElement {
  const { t } = useTranslation();
  const { cart, open } = useCart();
  const lines = cart?.lines ?? [];
  const count = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const nowMs = useServerNow(count > 0);
  const firstEndMs = Math.min(...lines.map(({ holdExpiresAtMs }) => holdExpiresAtMs));
  return (
    <>
      <Button
        variant={count > 0 ? 'filled' : 'subtle'}
        color={count > 0 ? 'accent' : 'gray'}
        radius="xl"
        h={44}
        px={14}
        leftSection={<Icon name="bag" />}
        onClick={() => open()}
        data-testid="cart-button"
        data-count={count}
        className={count > 0 ? undefined : 'sf-cart-button--empty'}
      >
        {count > 0 && <VisuallyHidden>{t('cart.buttonCount', { count })}, </VisuallyHidden>}
        {count > 0 ? `${count} · ${holdCountdown(firstEndMs, nowMs).text}` : t('cart.button')}
      </Button>
      <HoldAnnouncements lines={lines} nowMs={nowMs} />
    </>
  );
}
