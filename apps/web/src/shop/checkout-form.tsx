import { Button, TextInput } from '@mantine/core';
import { type FormEvent, type ReactElement, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClientConfig } from '../api/client-config.ts';
import { Icon } from '../design/icons.tsx';
import { Notice } from '../design/notice.tsx';
import { useCart } from './cart-context.tsx';
import { checkoutOf } from './checkout-attempt.ts';
import { formatMoney } from './money.ts';
import type { Purchase } from './use-purchase.ts';

/** Card of the test provider, should the configuration not have arrived. */
const TEST_CARD = '4242 4242 4242 4242';

/** Paying for the whole bag. The form explains itself when the shop takes test payments. */
export function CheckoutForm(): ReactElement {
  const { t } = useTranslation();
  const { cart, goTo, buying } = useCart();
  const config = useClientConfig();
  const testCard = config?.payment.testCard ?? TEST_CARD;
  const [email, setEmail] = useState('');
  const [card, setCard] = useState<string | null>(null);
  const [isChecked, setChecked] = useState(false);
  const { purchase } = buying;
  const isPaying = purchase.kind === 'paying';
  const cardText = card ?? testCard;
  const emailError = email.trim() !== '' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email.trim());
  const cardError = !/^[0-9 ]{12,23}$/.test(cardText.trim());

  const form = useRef<HTMLFormElement>(null);
  const firstField = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Where a focused field would bring up a keyboard over the sheet, the form itself takes the focus.
    const isTouch = window.matchMedia('(hover: none)').matches;
    (isTouch ? form : firstField).current?.focus();
  }, []);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setChecked(true);
    if (isPaying || emailError || cardError) return;
    if (cart === undefined) return;
    buying.pay(checkoutOf(cart, { email, card: cardText }));
  };

  const isOpen = purchase.kind === 'unconfirmed' || (purchase.kind === 'refused' && purchase.isOpen);
  const isEmpty = cart === undefined || cart.lines.length === 0;
  return (
    <form ref={form} tabIndex={-1} className="sf-cart" onSubmit={submit} noValidate data-testid="checkout-form">
      <PurchaseNotice purchase={purchase} />
      <TextInput
        ref={firstField}
        type="email"
        autoComplete="email"
        label={t('checkout.email')}
        placeholder={t('checkout.emailPlaceholder')}
        value={email}
        error={isChecked && emailError && t('checkout.emailBad')}
        onChange={({ currentTarget }) => setEmail(currentTarget.value)}
        disabled={isPaying}
      />
      <TextInput
        label={t('checkout.card')}
        inputMode="numeric"
        autoComplete="off"
        value={cardText}
        error={isChecked && cardError && t('checkout.cardBad')}
        onChange={({ currentTarget }) => setCard(currentTarget.value)}
        disabled={isPaying}
      />
      <p className="sf-cart__hint">
        <strong>{t('checkout.testTitle')}</strong>{' '}
        {t('checkout.testText', { card: testCard.replaceAll(' ', '\u00a0') })}
      </p>
      {isOpen ? (
        <Button size="lg" fullWidth leftSection={<Icon name="retry" />} onClick={buying.payAgain}>
          {t('checkout.again')}
        </Button>
      ) : (
        <Button type="submit" size="lg" fullWidth loading={isPaying} disabled={isEmpty && !isPaying} data-testid="pay">
          {t('checkout.pay', { amount: formatMoney(cart?.totalMinor ?? 0, cart?.currency ?? 'EUR') })}
        </Button>
      )}
      <Button
        variant="subtle"
        color="gray"
        leftSection={<Icon name="back" size={18} />}
        onClick={() => goTo('lines')}
        disabled={isPaying}
      >
        {t('checkout.back')}
      </Button>
    </form>
  );
}

/** What became of the last press on Pay. */
function PurchaseNotice({ purchase }: { readonly purchase: Purchase }): ReactElement | null {
  const { t } = useTranslation();
  if (purchase.kind === 'paying') {
    if (purchase.repeating !== null) {
      const text = purchase.repeating === 'unconfirmed' ? t('checkout.confirming') : t('checkout.retrying');
      return <Notice testId="checkout-notice">{text}</Notice>;
    }
    return purchase.isResumed ? <Notice testId="checkout-notice">{t('checkout.resumed')}</Notice> : null;
  }
  if (purchase.kind === 'unconfirmed') return <Notice testId="checkout-notice">{t('checkout.unconfirmed')}</Notice>;
  if (purchase.kind !== 'refused') return null;
  return (
    <Notice tone="bad" testId="checkout-notice">
      {refusalText()}
    </Notice>
  );

  function refusalText(): string {
    if (purchase.kind !== 'refused') return '';
    if (purchase.isOpen) return t('checkout.away');
    switch (purchase.problem.reason) {
      case 'payment_declined':
        return t('checkout.declined');
      case 'hold_expired':
      case 'cart_empty':
      case 'cart_changed':
        return t(`checkout.${purchase.problem.reason}`);
      case 'unauthenticated':
        return t('checkout.signedOut');
      default:
        return t('checkout.refused', { detail: purchase.problem.message });
    }
  }
}
