import { Button } from '@mantine/core';
import type { ShowSummary } from '@showfloor/protocol';
import { type FormEvent, type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ActionProblem } from './action-problem.tsx';
import { draftOfShow, showPatchOf } from './show-draft.ts';
import { ShowFields } from './show-fields.tsx';
import { updateShow } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

type EditShowFormProps = {
  readonly show: ShowSummary;
  /** Saved, or given up. */
  readonly onDone: () => void;
};

/** Title, text and date of a show that is not over; viewers see the change with their next read. */
export function EditShowForm({ show, onDone }: EditShowFormProps): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  const [draft, setDraft] = useState(() => draftOfShow(show));
  const [before] = useState(show); // what was typed over: a change from elsewhere meanwhile is not undone
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const patch = showPatchOf(draft, before);
    if (patch === null || (await action.run(() => updateShow(show.id, patch)))) onDone();
  };
  return (
    <form
      className="sf-studio__form sf-studio__panel-form"
      aria-label={t('studio.editShowNamed', { title: show.title })}
      onSubmit={(event) => void submit(event)}
    >
      <ShowFields
        draft={draft}
        isFocused
        descriptionRows={3}
        onChange={(part) => setDraft((now) => ({ ...now, ...part }))}
      />
      <div className="sf-studio__row">
        <Button type="submit" loading={action.isBusy} disabled={draft.title.trim() === ''}>
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
