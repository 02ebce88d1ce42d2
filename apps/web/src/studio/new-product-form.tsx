import { ActionIcon, Button, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../design/icons.tsx';
import { parseMoney } from '../shop/money.ts';
import { ActionProblem } from './action-problem.tsx';
import {
  emptyDraft,
  emptyVariant,
  isImageUrl,
  parseUnits,
  productOf,
  VARIANTS_MAX,
  type VariantDraft,
} from './product-draft.ts';
import { createProduct } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

const CURRENCIES = ['EUR', 'USD', 'GBP', 'CHF', 'SEK', 'PLN', 'JPY'];

/** A product with one or more variants. */
export function NewProductForm({ onDone }: { readonly onDone: () => void }): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  const [draft, setDraft] = useState(() => emptyDraft('EUR'));
  const [isChecked, setChecked] = useState(false);

  const change = (part: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...part }));
  const changeVariant = (rowId: number, part: Partial<VariantDraft>): void =>
    change({ variants: draft.variants.map((each) => (each.rowId === rowId ? { ...each, ...part } : each)) });

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setChecked(true);
    const product = productOf(draft, t('studio.variantTitlePlaceholder'));
    if (product !== null && (await action.run(() => createProduct(product)))) onDone();
  };
  const needed = (text: string): string | false => isChecked && text.trim() === '' && t('studio.required');

  return (
    <form
      className="sf-studio__form sf-card"
      noValidate
      onSubmit={(event) => void submit(event)}
      aria-label={t('studio.newProduct')}
    >
      <TextInput
        label={t('studio.productTitle')}
        maxLength={120}
        autoFocus
        required
        value={draft.title}
        error={needed(draft.title)}
        onChange={({ currentTarget }) => change({ title: currentTarget.value })}
      />
      <TextInput
        label={t('studio.productDescription')}
        maxLength={4000}
        value={draft.description}
        onChange={({ currentTarget }) => change({ description: currentTarget.value })}
      />
      <TextInput
        label={t('studio.productImage')}
        maxLength={500}
        value={draft.imageUrl}
        error={!isImageUrl(draft.imageUrl.trim()) && t('studio.productImageBad')}
        onChange={({ currentTarget }) => change({ imageUrl: currentTarget.value })}
      />
      <NativeSelect
        label={t('studio.currency')}
        data={CURRENCIES}
        value={draft.currency}
        onChange={({ currentTarget }) => change({ currency: currentTarget.value })}
      />
      {draft.variants.map((variant, index) => (
        <VariantFields
          key={variant.rowId}
          variant={variant}
          number={index + 1}
          currency={draft.currency}
          isChecked={isChecked}
          isOnly={draft.variants.length === 1}
          onChange={(part) => changeVariant(variant.rowId, part)}
          onRemove={() => change({ variants: draft.variants.filter(({ rowId }) => rowId !== variant.rowId) })}
        />
      ))}
      <div className="sf-studio__row">
        <Button
          variant="default"
          disabled={draft.variants.length >= VARIANTS_MAX}
          onClick={() =>
            change({ variants: [...draft.variants, emptyVariant((draft.variants.at(-1)?.rowId ?? 0) + 1)] })
          }
        >
          {t('studio.variantAdd')}
        </Button>
        <Button type="submit" loading={action.isBusy}>
          {t('studio.createProduct')}
        </Button>
      </div>
      <ActionProblem action={action} />
    </form>
  );
}

type VariantFieldsProps = {
  readonly variant: VariantDraft;
  readonly number: number;
  readonly currency: string;
  readonly isChecked: boolean;
  readonly isOnly: boolean;
  readonly onChange: (part: Partial<VariantDraft>) => void;
  readonly onRemove: () => void;
};

function VariantFields({
  variant,
  number,
  currency,
  isChecked,
  isOnly,
  onChange,
  onRemove,
}: VariantFieldsProps): ReactElement {
  const { t } = useTranslation();
  return (
    <fieldset className="sf-studio__fields">
      <legend>
        {t('studio.variantTitle')} {number}
      </legend>
      <TextInput
        label={t('studio.variantTitle')}
        placeholder={t('studio.variantTitlePlaceholder')}
        maxLength={60}
        required={!isOnly}
        value={variant.title}
        error={isChecked && !isOnly && variant.title.trim() === '' && t('studio.required')}
        onChange={({ currentTarget }) => onChange({ title: currentTarget.value })}
      />
      <TextInput
        label={t('studio.variantSku')}
        maxLength={60}
        value={variant.sku}
        onChange={({ currentTarget }) => onChange({ sku: currentTarget.value })}
      />
      <TextInput
        label={t('studio.variantPrice')}
        inputMode="decimal"
        placeholder="24.50"
        required
        value={variant.price}
        error={isChecked && parseMoney(variant.price, currency) === null && t('studio.priceBad')}
        onChange={({ currentTarget }) => onChange({ price: currentTarget.value })}
      />
      <TextInput
        label={t('studio.variantUnits')}
        inputMode="numeric"
        placeholder="12"
        required
        value={variant.units}
        error={isChecked && parseUnits(variant.units) === null && t('studio.unitsBad')}
        onChange={({ currentTarget }) => onChange({ units: currentTarget.value })}
      />
      {!isOnly && (
        <ActionIcon
          className="sf-studio__remove"
          variant="subtle"
          color="gray"
          size={44}
          aria-label={t('studio.variantRemove', { number })}
          onClick={onRemove}
        >
          <Icon name="trash" />
        </ActionIcon>
      )}
    </fieldset>
  );
}
