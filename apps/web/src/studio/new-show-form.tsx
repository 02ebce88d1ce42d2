import { Button, TextInput } from '@mantine/core';
import { type FormEvent, type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ActionProblem } from './action-problem.tsx';
import { createShow } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

export function NewShowForm(): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const body = { title: title.trim(), ...(description.trim() === '' ? {} : { description: description.trim() }) };
    if (!(await action.run(() => createShow(body)))) return;
    setTitle('');
    setDescription('');
  };
  return (
    <form className="sf-studio__form" onSubmit={(event) => void submit(event)} aria-label={t('studio.newShow')}>
      <TextInput
        label={t('studio.showTitle')}
        placeholder={t('studio.showTitlePlaceholder')}
        required
        maxLength={120}
        value={title}
        onChange={({ currentTarget }) => setTitle(currentTarget.value)}
      />
      <TextInput
        label={t('studio.showDescription')}
        maxLength={2000}
        value={description}
        onChange={({ currentTarget }) => setDescription(currentTarget.value)}
      />
      <Button type="submit" loading={action.isBusy} disabled={title.trim() === ''}>
        {t('studio.create')}
      </Button>
      <ActionProblem action={action} />
    </form>
  );
}
