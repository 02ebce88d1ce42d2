import type { FeaturedProduct } from '@showfloor/protocol';
import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { useHoldControl } from './hold-control.tsx';
import { ProductPicture } from './product-picture.tsx';
import './product.css';

type PinnedCardProps = { readonly pin: FeaturedProduct; readonly playbackId: string };

/** The product the seller is showing. It comes with its frame; stock and price are always the newest. */
export function PinnedCard({ pin, playbackId }: PinnedCardProps): ReactElement {
  return <Card key={pin.product.id} pin={pin} playbackId={playbackId} />;
}

function Card({ pin, playbackId }: PinnedCardProps): ReactElement {
  const { t } = useTranslation();
  const { product, pinnedAtMs } = pin;
  const control = useHoldControl(product, playbackId);
  return (
    <section
      className="sf-pinned sf-card"
      aria-label={t('shop.featured')}
      data-testid="pinned-card"
      data-product-id={product.id}
      data-pinned-at-ms={pinnedAtMs}
    >
      <ProductPicture imageUrl={product.imageUrl} className="sf-pinned__picture" />
      <div className="sf-pinned__text">
        <p className="sf-pinned__tag">{t('shop.featured')}</p>
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
