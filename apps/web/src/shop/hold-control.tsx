import { Button } from '@mantine/core';
import type { ProductCard, ProductVariant } from '@showfloor/protocol';
import { type ReactElement, useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApiProblem } from '../api/http.ts';
import { Notice } from '../design/notice.tsx';
import { useCart } from './cart-context.tsx';
import { holdOfferOf, outageNoticeEndMs } from './hold-offer.ts';
import { formatMoney } from './money.ts';

const OFFER_TEXT = { hold: 'shop.hold', 'sold-out': 'shop.soldOut', closed: 'shop.closed' } as const;
/** At this many units and fewer the number is told. */
const SCARCE_UNITS = 9;

/** Where a product is held. */
export type HoldPlace = {
  readonly playbackId: string;
  /** Ended or cancelled: nothing more is held. */
  readonly isShowOver: boolean;
  /** Page clock of the shop's last answer about the show; 0: none yet. */
  readonly shopAnsweredAtMs: number;
};

type Refusal = { readonly problem: ApiProblem; readonly atMs: number };

export type HoldControl = {
  readonly variant: ProductVariant | undefined;
  /** Variant choice, where there is one. */
  readonly choice: ReactElement | null;
  readonly price: ReactElement;
  readonly stock: ReactElement | null;
  readonly button: ReactElement;
  readonly problem: ReactElement | null;
};

/** The parts with which a product is chosen and held; pinned card and list lay them out differently. */
export function useHoldControl(product: ProductCard, place: HoldPlace): HoldControl {
  const { t } = useTranslation();
  const { hold, open } = useCart();
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const variant =
    product.variants.find(({ id }) => id === chosenId) ??
    product.variants.find(({ availableUnits }) => availableUnits > 0) ??
    product.variants[0];
  const available = variant?.availableUnits ?? 0;
  const offer = holdOfferOf(place.isShowOver, available);

  useEffect(() => {
    if (refusal === null || !refusal.problem.isOutage) return;
    const endMs = outageNoticeEndMs(refusal.atMs, place.shopAnsweredAtMs);
    if (endMs === null) return;
    const timer = setTimeout(() => setRefusal(null), endMs - performance.now());
    return () => clearTimeout(timer);
  }, [refusal, place.shopAnsweredAtMs]);

  const onHold = async (): Promise<void> => {
    if (variant === undefined) return;
    setBusy(true);
    const problem = await hold(variant.id, place.playbackId);
    setBusy(false);
    setRefusal(problem === null ? null : { problem, atMs: performance.now() });
    if (problem === null) open();
  };

  return {
    variant,
    choice:
      product.variants.length > 1 ? (
        <VariantChoice product={product} chosenId={variant?.id ?? null} onChoose={setChosenId} />
      ) : null,
    price: (
      <span className="sf-price" data-testid="price">
        {variant === undefined ? '' : formatMoney(variant.priceMinor, product.currency)}
      </span>
    ),
    stock: <StockLine availableUnits={available} />,
    button: (
      <Button
        loading={isBusy}
        disabled={offer !== 'hold'}
        aria-label={offer === 'hold' ? t('shop.holdNamed', { title: product.title }) : undefined}
        onClick={() => void onHold()}
        data-testid="hold"
      >
        {t(OFFER_TEXT[offer])}
      </Button>
    ),
    problem: refusal === null ? null : <HoldProblem problem={refusal.problem} />,
  };
}

function StockLine({ availableUnits }: { readonly availableUnits: number }): ReactElement {
  const { t } = useTranslation();
  const isScarce = availableUnits <= SCARCE_UNITS;
  const text =
    availableUnits === 0 ? t('shop.soldOut') : isScarce ? t('shop.left', { count: availableUnits }) : t('shop.inStock');
  return (
    <span
      className={isScarce ? 'sf-stock sf-stock--scarce' : 'sf-stock'}
      data-testid="stock"
      data-units={availableUnits}
    >
      {text}
    </span>
  );
}

type VariantChoiceProps = {
  readonly product: ProductCard;
  readonly chosenId: string | null;
  readonly onChoose: (variantId: string) => void;
};

/** Radio buttons that look like labels; arrows move between them. */
function VariantChoice({ product, chosenId, onChoose }: VariantChoiceProps): ReactElement {
  const { t } = useTranslation();
  const name = useId();
  return (
    <fieldset className="sf-variants">
      <legend className="sf-variants__legend">{t('shop.variants')}</legend>
      {product.variants.map(({ id, title, availableUnits }) => (
        <label key={id} className="sf-variant" data-sold-out={availableUnits === 0}>
          <input
            type="radio"
            name={name}
            value={id}
            checked={id === chosenId}
            aria-label={availableUnits === 0 ? t('shop.variantSoldOut', { title }) : title}
            onChange={() => onChoose(id)}
          />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}

function HoldProblem({ problem }: { readonly problem: ApiProblem }): ReactElement {
  const { t } = useTranslation();
  return (
    <Notice tone="bad" testId="hold-problem">
      {text()}
    </Notice>
  );

  function text(): string {
    if (problem.isOutage) return t('shop.holdFailed');
    if (problem.reason === 'hold_limit') return t('shop.holdLimit');
    if (problem.reason !== 'insufficient_stock') return t('shop.holdRefused', { detail: problem.message });
    const count = problem.availableUnits ?? 0;
    return count === 0 ? t('shop.soldOutNow') : t('shop.insufficient', { count });
  }
}
