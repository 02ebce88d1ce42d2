import { Button, Textarea, TextInput } from '@mantine/core';
import type { ProductCard } from '@showfloor/protocol';
import { type FormEvent, type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { parseMoney } from '../shop/money.ts';
import { ActionProblem } from './action-problem.tsx';
import { isImageUrl } from './product-draft.ts';
import { editOfProduct, productPatchOf } from './product-edit.ts';
import { updateProduct } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

type EditProductFormProps = {
  readonly product: ProductCard;
  /** Saved, or given up. */
  readonly onDone: () => void;
};

/** Texts, picture and prices of a product. Shows that list it are told at once. */
export function EditProductForm({ product, onDone }: EditProductFormProps): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  const [before] = useState(product); // what was typed over: a change from elsewhere meanwhile is not undone
  const [edit, setEdit] = useState(() => editOfProduct(product));
  const [isChecked, setChecked] = useState(false);
  const change = (part: Partial<typeof edit>): void => setEdit((now) => ({ ...now, ...part }));

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setChecked(true);
    const patch = productPatchOf(edit, before);
    if (patch === 'invalid') return;
    if (patch === 'same' || (await action.run(() => updateProduct(product.id, patch)))) onDone();
  };
  return (
    <form
      className="sf-studio__form sf-studio__panel-form"
      noValidate
      aria-label={t('studio.editProductNamed', { title: product.title })}
      onSubmit={(event) => void submit(event)}
    >
      <TextInput
        label={t('studio.productTitle')}
        maxLength={120}
        autoFocus
        required
        value={edit.title}
        error={isChecked && edit.title.trim() === '' && t('studio.required')}
        onChange={({ currentTarget }) => change({ title: currentTarget.value })}
      />
      <Textarea
        label={t('studio.productDescription')}
        maxLength={4000}
        rows={3}
        resize="vertical"
        value={edit.description}
        onChange={({ currentTarget }) => change({ description: currentTarget.value })}
      />
      <TextInput
        label={t('studio.productImage')}
        maxLength={500}
        value={edit.imageUrl}
        error={!isImageUrl(edit.imageUrl.trim()) && t('studio.productImageBad')}
        onChange={({ currentTarget }) => change({ imageUrl: currentTarget.value })}
      />
      {before.variants.map(({ id, title }) => (
        <TextInput
          key={id}
          label={t('studio.variantPriceOf', { title, currency: before.currency })}
          inputMode="decimal"
          required
          value={edit.prices[id] ?? ''}
          error={isChecked && parseMoney(edit.prices[id] ?? '', before.currency) === null && t('studio.priceBad')}
          onChange={({ currentTarget }) => change({ prices: { ...edit.prices, [id]: currentTarget.value } })}
        />
      ))}
      <div className="sf-studio__row">
        <Button type="submit" loading={action.isBusy}>
          {t('studio.save')}
        </Button>
        <Button variant="default" onClick={onDone}>
          {t('studio.giveUp')}
        </Button>
      </div>
      <ActionProblem action={action} />
    </form>
  );
}
