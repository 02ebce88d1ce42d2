import type { FeaturedProduct } from '@showfloor/protocol';
import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { type HoldPlace, useHoldControl } from './hold-control.tsx';
import { ProductPicture } from './product-picture.tsx';
import './product.css';

type PinnedCardProps = { readonly pin: FeaturedProduct; readonly place: HoldPlace };

/** The product the seller is showing, or showed last. It comes with its frame; stock and price are always the newest. */
export function PinnedCard({ pin, place }: PinnedCardProps): ReactElement {
  return <Card key={pin.product.id} pin={pin} place={place} />;
}

function Card({ pin, place }: PinnedCardProps): ReactElement {
  const { t } = useTranslation();
  const { product, pinnedAtMs } = pin;
  const control = useHoldControl(product, place);
  const tag = place.isShowOver ? t('shop.featuredLast') : t('shop.featured');
  return (
    <section
      className="sf-pinned sf-card"
      aria-label={tag}
      data-testid="pinned-card"
      data-product-id={product.id}
      data-pinned-at-ms={pinnedAtMs}
    >
      <ProductPicture imageUrl={product.imageUrl} className="sf-pinned__picture" />
      <div className="sf-pinned__text">
        <p className="sf-pinned__tag">{tag}</p>
        <h2 className="sf-pinned__title">{product.title}</h2>
        <p className="sf-pinned__facts">
          {control.price}
          {control.stock}
        </p>
      </div>
      <div className="sf-pinned__act">{control.button}</div>
      {(control.choice !== null || control.problem !== null) && (
        <div className="sf-pinned__more">
          {control.choice}
          {control.problem}
        </div>
      )}
    </section>
  );
}
