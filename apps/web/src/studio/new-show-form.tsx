import { Button } from '@mantine/core';
import { type FormEvent, type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ActionProblem } from './action-problem.tsx';
import { EMPTY_SHOW, newShowOf } from './show-draft.ts';
import { ShowFields } from './show-fields.tsx';
import { createShow } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

export function NewShowForm(): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  const [draft, setDraft] = useState(EMPTY_SHOW);
  const show = newShowOf(draft);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (show !== null && (await action.run(() => createShow(show)))) setDraft(EMPTY_SHOW);
  };
  return (
    <form className="sf-studio__form" onSubmit={(event) => void submit(event)} aria-label={t('studio.newShow')}>
      <ShowFields draft={draft} onChange={(part) => setDraft((now) => ({ ...now, ...part }))} />
      <Button type="submit" loading={action.isBusy} disabled={show === null}>
        {t('studio.create')}
      </Button>
      <ActionProblem action={action} />
    </form>
  );
}
