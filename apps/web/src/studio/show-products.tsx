import { ActionIcon, Button, NativeSelect } from '@mantine/core';
import type { ProductCard, ShowSummary } from '@showfloor/protocol';
import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { getShow } from '../api/shop-api.ts';
import { Icon } from '../design/icons.tsx';
import { ProductPicture } from '../shop/product-picture.tsx';
import { ActionProblem } from './action-problem.tsx';
import { addShowProduct, pinProduct, removeShowProduct, unpinProduct } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

type ShowProductsProps = { readonly show: ShowSummary; readonly catalogue: readonly ProductCard[] };

/** What the show sells, and which product is pinned on the viewers' screens. */
export function ShowProducts({ show, catalogue }: ShowProductsProps): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  const { data: detail } = useQuery({
    queryKey: ['studio', 'show', show.playbackId],
    queryFn: ({ signal }) => getShow(show.playbackId, signal),
    refetchInterval: 5_000,
    retry: false,
  });
  const products = detail?.products ?? [];
  const pinnedId = detail?.featured?.product.id ?? null;
  const addable = catalogue.filter(({ id }) => !products.some((each) => each.id === id));
  return (
    <div className="sf-studio__products">
      <h4>{t('studio.showProducts')}</h4>
      {detail !== undefined && products.length === 0 && <p className="sf-muted">{t('studio.noShowProducts')}</p>}
      <ul className="sf-studio__list">
        {products.map((product) => {
          const isPinned = product.id === pinnedId;
          return (
            <li key={product.id} className="sf-studio__item" data-testid="studio-show-product" data-pinned={isPinned}>
              <ProductPicture imageUrl={product.imageUrl} className="sf-studio__picture" />
              <span className="sf-studio__item-title">{product.title}</span>
              <Button
                size="compact-md"
                variant={isPinned ? 'filled' : 'default'}
                leftSection={<Icon name="pin" size={16} />}
                disabled={action.isBusy}
                aria-label={
                  isPinned
                    ? t('studio.unpinNamed', { title: product.title })
                    : t('studio.pinNamed', { title: product.title })
                }
                onClick={() =>
                  void action.run(() => (isPinned ? unpinProduct(show.id) : pinProduct(show.id, product.id)))
                }
              >
                {isPinned ? t('studio.unpin') : t('studio.pin')}
              </Button>
              <ActionIcon
                variant="subtle"
                color="gray"
                size={40}
                disabled={action.isBusy}
                aria-label={t('studio.takeOut', { title: product.title })}
                onClick={() => void action.run(() => removeShowProduct(show.id, product.id))}
              >
                <Icon name="trash" />
              </ActionIcon>
            </li>
          );
        })}
      </ul>
      {addable.length > 0 && (
        <AddProduct
          addable={addable}
          isBusy={action.isBusy}
          onAdd={(id) => void action.run(() => addShowProduct(show.id, id))}
        />
      )}
      <ActionProblem action={action} />
    </div>
  );
}

type AddProductProps = {
  readonly addable: readonly ProductCard[];
  readonly isBusy: boolean;
  readonly onAdd: (productId: string) => void;
};

function AddProduct({ addable, isBusy, onAdd }: AddProductProps): ReactElement {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState('');
  const productId = addable.some(({ id }) => id === chosen) ? chosen : (addable[0]?.id ?? '');
  return (
    <div className="sf-studio__row">
      <NativeSelect
        aria-label={t('studio.addChoice')}
        value={productId}
        data={addable.map(({ id, title }) => ({ value: id, label: title }))}
        onChange={({ currentTarget }) => setChosen(currentTarget.value)}
      />
      <Button variant="default" disabled={isBusy} onClick={() => onAdd(productId)}>
        {t('studio.add')}
      </Button>
    </div>
  );
}
