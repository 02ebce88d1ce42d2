import { Button, TextInput } from '@mantine/core';
import type { RestreamTargetPatch, RestreamTargetView } from '@showfloor/protocol';
import { type ReactElement, type SyntheticEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ActionProblem } from './action-problem.tsx';
import {
  draftOfTarget,
  EMPTY_TARGET,
  fieldOfRefusal,
  newTargetOf,
  problemsOfTarget,
  TARGET_NAME_CHARS_MAX,
  TARGET_TEXT_CHARS_MAX,
  type TargetDraft,
  type TargetField,
  targetPatchOf,
} from './restream-draft.ts';
import { addRestreamTarget, updateRestreamTarget } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

type FormProps = {
  readonly showId: string;
  /** Null: a new one. */
  readonly target: RestreamTargetView | null;
  /** Saved, or given up. */
  readonly onDone: () => void;
};

const FIELDS = ['name', 'url', 'key'] as const satisfies readonly TargetField[];

/** Name, address and key of a target. What is wrong is said at its field, also when the shop is who says it. */
export function RestreamTargetForm({ showId, target, onDone }: FormProps): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  const [draft, setDraft] = useState<TargetDraft>(() => (target === null ? EMPTY_TARGET : draftOfTarget(target)));
  const [isChecked, setChecked] = useState(false);
  const [sent, setSent] = useState<RestreamTargetPatch>({});

  const problems = problemsOfTarget(draft, target);
  const refused = action.problem === null ? null : fieldOfRefusal(action.problem.reason, sent);
  const errorAt = (field: TargetField): string | undefined => {
    const problem = problems[field];
    if (isChecked && problem !== undefined) return t(`restream.bad_${problem}`);
    return refused === field ? action.problem?.message : undefined;
  };
  const change = (part: Partial<TargetDraft>): void => {
    setDraft((now) => ({ ...now, ...part }));
    if (refused !== null && refused in part) action.dismiss();
  };
  const submit = async (event: SyntheticEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    setChecked(true);
    const first = FIELDS.find((field) => problems[field] !== undefined);
    if (first !== undefined) return focusField(event.currentTarget, first);
    const patch = target === null ? newTargetOf(draft) : targetPatchOf(draft, target);
    if (patch === null) return onDone();
    setSent(patch);
    const isSaved = await action.run(() =>
      target === null ? addRestreamTarget(showId, newTargetOf(draft)) : updateRestreamTarget(showId, target.id, patch),
    );
    if (isSaved) onDone();
  };

  return (
    <form
      className="sf-studio__form sf-target__form"
      noValidate
      autoComplete="off"
      aria-label={target === null ? t('restream.add') : t('restream.editNamed', { name: target.name })}
      data-testid="restream-form"
      onSubmit={(event) => void submit(event)}
    >
      <TextInput
        name="name"
        label={t('restream.name')}
        placeholder={t('restream.namePlaceholder')}
        maxLength={TARGET_NAME_CHARS_MAX}
        required
        autoFocus
        value={draft.name}
        error={errorAt('name')}
        onChange={({ currentTarget }) => change({ name: currentTarget.value })}
      />
      <TextInput
        name="url"
        label={t('restream.url')}
        placeholder="rtmps://live.example.com/app"
        inputMode="url"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={TARGET_TEXT_CHARS_MAX}
        required
        value={draft.url}
        error={errorAt('url')}
        onChange={({ currentTarget }) => change({ url: currentTarget.value })}
      />
      <TextInput
        type="password"
        autoComplete="new-password"
        name="key"
        label={t('restream.key')}
        placeholder={target?.maskedKey}
        description={target === null ? undefined : t('restream.keyKept')}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        maxLength={TARGET_TEXT_CHARS_MAX}
        required={target === null}
        value={draft.key}
        error={errorAt('key')}
        onChange={({ currentTarget }) => change({ key: currentTarget.value })}
      />
      <div className="sf-studio__row">
        <Button type="submit" loading={action.isBusy}>
          {target === null ? t('restream.create') : t('restream.save')}
        </Button>
        <Button variant="default" onClick={onDone}>
          {t('restream.giveUp')}
        </Button>
      </div>
      {refused === null && <ActionProblem action={action} />}
    </form>
  );
}

function focusField(form: HTMLFormElement, field: TargetField): void {
  const input = form.elements.namedItem(field);
  if (input instanceof HTMLInputElement) input.focus();
}
