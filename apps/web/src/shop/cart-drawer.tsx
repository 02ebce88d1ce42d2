import { Drawer } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { useCart } from './cart-context.tsx';
import { CartLines } from './cart-lines.tsx';
import { CheckoutForm } from './checkout-form.tsx';
import { PaidReceipt } from './receipt.tsx';
import './cart-drawer.css';

/** The bag as a sheet: what is held, paying, the receipt. Video and chat go on behind it. */
export function CartDrawer(): ReactElement {
  const { t } = useTranslation();
  const { isOpen, close, step, buying } = useCart();
  const isWide = useMediaQuery('(min-width: 48em)', true, { getInitialValueInEffect: false });
  const { purchase } = buying;
  const isPaid = purchase.kind === 'paid';
  return (
    <Drawer
      opened={isOpen}
      onClose={close}
      position={isWide ? 'right' : 'bottom'}
      size={isWide ? 440 : 'auto'}
      title={isPaid ? t('order.receipt') : step === 'pay' ? t('checkout.title') : t('cart.title')}
      closeButtonProps={{ 'aria-label': t('cart.close'), size: 44 }}
      classNames={{ content: 'sf-sheet', title: 'sf-sheet__title', body: 'sf-sheet__body' }}
      overlayProps={{ backgroundOpacity: 0.25 }}
    >
      <div data-testid="cart-drawer">
        {isPaid && <PaidReceipt order={purchase.order} onClose={close} />}
        {!isPaid && step === 'lines' && <CartLines />}
        {!isPaid && step === 'pay' && <CheckoutForm />}
      </div>
    </Drawer>
  );
}
