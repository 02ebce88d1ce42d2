import { Textarea, TextInput } from '@mantine/core';
import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { SHOW_DATE_MAX, SHOW_DATE_MIN, type ShowDraft } from './show-draft.ts';

type ShowFieldsProps = {
  readonly draft: ShowDraft;
  readonly isFocused?: boolean;
  readonly descriptionRows?: number;
  readonly onChange: (part: Partial<ShowDraft>) => void;
};

/** Title, description and date of a show, new or not. */
export function ShowFields({ draft, isFocused = false, descriptionRows = 1, onChange }: ShowFieldsProps): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <TextInput
        label={t('studio.showTitle')}
        placeholder={t('studio.showTitlePlaceholder')}
        required
        autoFocus={isFocused}
        maxLength={120}
        value={draft.title}
        onChange={({ currentTarget }) => onChange({ title: currentTarget.value })}
      />
      <Textarea
        label={t('studio.showDescription')}
        maxLength={2000}
        rows={descriptionRows}
        resize="vertical"
        value={draft.description}
        onChange={({ currentTarget }) => onChange({ description: currentTarget.value })}
      />
      <TextInput
        type="datetime-local"
        label={t('studio.showDate')}
        min={SHOW_DATE_MIN}
        max={SHOW_DATE_MAX}
        value={draft.scheduledAt}
        onChange={({ currentTarget }) => onChange({ scheduledAt: currentTarget.value })}
      />
    </>
  );
}
