import { Skeleton } from '@mantine/core';
import type { ProductCard } from '@showfloor/protocol';
import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { Notice } from '../design/notice.tsx';
import type { LiveShow } from '../watch/use-show.ts';
import { type HoldPlace, useHoldControl } from './hold-control.tsx';
import { ProductPicture } from './product-picture.tsx';
import './product.css';

type ProductShelfProps = { readonly show: LiveShow; readonly place: HoldPlace };

/** Everything that is sold in this show. */
export function ProductShelf({ show, place }: ProductShelfProps): ReactElement {
  const { t } = useTranslation();
  const { detail, isDown, reload } = show;
  return (
    <section aria-label={t('watch.products')} data-testid="products" data-down={isDown}>
      {isDown && (
        <Notice testId="shop-down" action={{ label: t('shop.retry'), onClick: reload }}>
          {t('shop.down')}
        </Notice>
      )}
      {detail === undefined && !isDown && <Skeleton height={120} radius="lg" />}
      {detail !== undefined && detail.products.length === 0 && <p className="sf-muted">{t('shop.empty')}</p>}
      {detail !== undefined && (
        <ul className="sf-shelf">
          {detail.products.map((product) => (
            <Tile key={product.id} product={product} place={place} />
          ))}
        </ul>
      )}
    </section>
  );
}

type TileProps = { readonly product: ProductCard; readonly place: HoldPlace };

function Tile({ product, place }: TileProps): ReactElement {
  const control = useHoldControl(product, place);
  return (
    <li className="sf-tile sf-card" data-testid="product" data-product-id={product.id}>
      <ProductPicture imageUrl={product.imageUrl} className="sf-tile__picture" />
      <div className="sf-tile__text">
        <h3>{product.title}</h3>
        {product.description !== '' && <p className="sf-tile__description sf-muted">{product.description}</p>}
        <p className="sf-pinned__facts">
          {control.price}
          {control.stock}
        </p>
        {control.choice}
        <div className="sf-tile__act">{control.button}</div>
        {control.problem}
      </div>
    </li>
  );
}
