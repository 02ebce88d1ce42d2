import { Button, TextInput } from '@mantine/core';
import type { ProductCard, ProductVariant } from '@showfloor/protocol';
import { type FormEvent, type ReactElement, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { formatMoney } from '../shop/money.ts';
import { ProductPicture } from '../shop/product-picture.tsx';
import { ActionProblem } from './action-problem.tsx';
import { EditProductForm } from './edit-product-form.tsx';
import { NewProductForm } from './new-product-form.tsx';
import { adjustStock } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

/** All products of the seller with their stock; `products` undefined: not known yet. */
export function Catalogue({ products }: { readonly products: readonly ProductCard[] | undefined }): ReactElement {
  const { t } = useTranslation();
  const [isAdding, setAdding] = useState(false);
  return (
    <section aria-labelledby="studio-products" className="sf-studio__section">
      <div className="sf-studio__row">
        <h2 id="studio-products">{t('studio.catalogue')}</h2>
        <Button variant="default" aria-expanded={isAdding} onClick={() => setAdding(!isAdding)}>
          {t('studio.newProduct')}
        </Button>
      </div>
      {isAdding && <NewProductForm onDone={() => setAdding(false)} />}
      {products?.length === 0 && <p className="sf-muted">{t('studio.noProducts')}</p>}
      <ul className="sf-studio__list">
        {products?.map((product) => (
          <CatalogueItem key={product.id} product={product} />
        ))}
      </ul>
    </section>
  );
}

function CatalogueItem({ product }: { readonly product: ProductCard }): ReactElement {
  const { t } = useTranslation();
  const [isEditing, setEditing] = useState(false);
  const editor = useRef<HTMLButtonElement>(null);
  const closeEditor = (): void => {
    setEditing(false);
    editor.current?.focus();
  };
  return (
    <li className="sf-studio__product sf-card" data-testid="studio-product">
      <ProductPicture imageUrl={product.imageUrl} className="sf-studio__picture" />
      <div className="sf-studio__product-text">
        <div className="sf-studio__product-head">
          <h3>{product.title}</h3>
          <Button
            ref={editor}
            variant="default"
            size="compact-md"
            aria-expanded={isEditing}
            aria-label={t('studio.editProductNamed', { title: product.title })}
            data-testid="studio-edit-product"
            onClick={() => setEditing(!isEditing)}
          >
            {t('studio.edit')}
          </Button>
        </div>
        {isEditing && <EditProductForm product={product} onDone={closeEditor} />}
        {product.variants.map((variant) => (
          <VariantStock key={variant.id} product={product} variant={variant} />
        ))}
      </div>
    </li>
  );
}

type VariantStockProps = { readonly product: ProductCard; readonly variant: ProductVariant };

/** One variant: price, units, and a change of units up or down. */
function VariantStock({ product, variant }: VariantStockProps): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  const [delta, setDelta] = useState('');
  const deltaUnits = /^[+-]?\d{1,6}$/.test(delta.trim()) ? Number(delta) : 0;
  const name = `${product.title} ${variant.title}`;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (deltaUnits === 0) return;
    if (await action.run(() => adjustStock(product.id, { variantId: variant.id, deltaUnits }))) setDelta('');
  };
  return (
    <form className="sf-studio__variant" onSubmit={(event) => void submit(event)}>
      <span className="sf-studio__variant-title">
        {variant.title} <span className="sf-muted">{variant.sku}</span>
      </span>
      <span>{formatMoney(variant.priceMinor, product.currency)}</span>
      <span data-testid="studio-stock" data-units={variant.availableUnits}>
        {t('studio.stock', { count: variant.availableUnits })}
      </span>
      <span className="sf-studio__stock">
        <TextInput
          size="sm"
          className="sf-studio__units"
          label={t('studio.stockChange')}
          placeholder="+10"
          inputMode="text"
          aria-label={t('studio.stockAdjust', { title: name })}
          value={delta}
          onChange={({ currentTarget }) => setDelta(currentTarget.value)}
        />
        <Button
          type="submit"
          size="sm"
          variant="default"
          loading={action.isBusy}
          disabled={deltaUnits === 0}
          aria-label={t('studio.stockApplyNamed', { title: name })}
        >
          {t('studio.stockApply')}
        </Button>
      </span>
      <ActionProblem action={action} />
    </form>
  );
}
