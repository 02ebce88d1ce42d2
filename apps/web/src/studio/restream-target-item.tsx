import { ActionIcon, Button, VisuallyHidden } from '@mantine/core';
import type { RestreamTargetView, ShowSummary } from '@showfloor/protocol';
import { type ReactElement, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../design/icons.tsx';
import { formatClock } from '../text/moments.ts';
import { ActionProblem } from './action-problem.tsx';
import { ConfirmButton } from './confirm-button.tsx';
import { spokenWord, standingOf, type TargetWord } from './restream-state.ts';
import { RestreamTargetForm } from './restream-target-form.tsx';
import { isOnAir } from './show-phase.ts';
import { deleteRestreamTarget, updateRestreamTarget } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

type ItemProps = {
  readonly show: ShowSummary;
  readonly target: RestreamTargetView;
  /** After it is gone: the focus needs another place. */
  readonly onDeleted: () => void;
};

/** One target: on or off, how it stands, edit, delete. */
export function RestreamTargetItem({ show, target, onDeleted }: ItemProps): ReactElement {
  const { t } = useTranslation();
  const toggling = useStudioAction();
  const deleting = useStudioAction();
  const [isEditing, setEditing] = useState(false);
  const editor = useRef<HTMLButtonElement>(null);
  const { name } = target;
  const remove = async (): Promise<void> => {
    if (await deleting.run(() => deleteRestreamTarget(show.id, target.id))) onDeleted();
  };
  const { word, tone } = standingOf(target);
  return (
    <li className="sf-target" data-testid="restream-target" data-state={word}>
      <div className="sf-target__row">
        <TargetSwitch showId={show.id} target={target} action={toggling} />
        <div className="sf-target__text">
          <p className="sf-target__head">
            <span className="sf-target__name">{name}</span>
            <span className={`sf-target__word sf-target__word--${tone}`} data-testid="restream-state">
              {t(`restream.word_${word}`)}
            </span>
          </p>
          <TargetSentence show={show} target={target} word={word} />
          <p className="sf-target__address sf-muted">
            {target.url} <span className="sf-target__key">{target.maskedKey}</span>
          </p>
        </div>
        <div className="sf-target__actions">
          <Button
            ref={editor}
            variant="default"
            size="compact-md"
            aria-label={t('restream.editNamed', { name })}
            aria-expanded={isEditing}
            onClick={() => setEditing(!isEditing)}
          >
            {t('restream.edit')}
          </Button>
          <ConfirmButton
            question={t('restream.deleteSure', { name })}
            yes={t('restream.deleteYes')}
            no={t('restream.deleteNo')}
            action={deleting}
            onYes={() => void remove()}
          >
            {(ask, ref) => (
              <ActionIcon
                ref={ref}
                variant="subtle"
                color="gray"
                size={40}
                aria-label={t('restream.deleteNamed', { name })}
                onClick={ask}
              >
                <Icon name="trash" />
              </ActionIcon>
            )}
          </ConfirmButton>
        </div>
      </div>
      <ActionProblem action={toggling} />
      {isEditing && (
        <RestreamTargetForm
          showId={show.id}
          target={target}
          onDone={() => {
            setEditing(false);
            editor.current?.focus();
          }}
        />
      )}
      <Spoken name={name} word={word} />
    </li>
  );
}

type SwitchProps = {
  readonly showId: string;
  readonly target: RestreamTargetView;
  readonly action: ReturnType<typeof useStudioAction>;
};

/** Stays where it was pressed while the shop is asked, and keeps the focus. */
function TargetSwitch({ showId, target, action }: SwitchProps): ReactElement {
  const { t } = useTranslation();
  const [wanted, setWanted] = useState<boolean | null>(null);
  const isOn = wanted ?? target.isEnabled;
  const toggle = async (isEnabled: boolean): Promise<void> => {
    if (action.isBusy) return;
    setWanted(isEnabled);
    await action.run(() => updateRestreamTarget(showId, target.id, { isEnabled }));
    setWanted(null);
  };
  return (
    <input
      type="checkbox"
      role="switch"
      className="sf-switch"
      aria-label={t('restream.sendTo', { name: target.name })}
      aria-busy={action.isBusy}
      checked={isOn}
      aria-checked={isOn}
      onChange={({ currentTarget }) => void toggle(currentTarget.checked)}
    />
  );
}

type SentenceProps = {
  readonly show: ShowSummary;
  readonly target: RestreamTargetView;
  readonly word: TargetWord;
};

/** What the media plane says, or else what happens next. */
function TargetSentence({ show, target, word }: SentenceProps): ReactElement | null {
  const { t } = useTranslation();
  let text = target.message ?? '';
  if (word === 'off') text = t('restream.hintOff');
  else if (text === '' && word === 'idle') text = t(isOnAir(show.status) ? 'restream.hintSoon' : 'restream.hintIdle');
  else if (text === '' && word === 'active' && target.stateAtMs !== null) {
    text = t('restream.hintActive', { time: formatClock(target.stateAtMs) });
  }
  if (text === '') return null;
  return (
    <p className="sf-target__message" data-testid="restream-message">
      {text}
    </p>
  );
}

/** Reads out what has changed about a target, in words that end a wait; nothing at first. */
function Spoken({ name, word }: { readonly name: string; readonly word: TargetWord }): ReactElement {
  const { t } = useTranslation();
  const [spoken, setSpoken] = useState<{ readonly word: TargetWord | null; readonly isNews: boolean }>({
    word,
    isNews: false,
  });
  useEffect(() => {
    setSpoken((before) => {
      const next = spokenWord(word, before.word);
      return next === before.word ? before : { word: next, isNews: true };
    });
  }, [word]);
  return (
    <VisuallyHidden role="status">
      {spoken.isNews && spoken.word !== null ? `${name}: ${t(`restream.word_${spoken.word}`)}` : ''}
    </VisuallyHidden>
  );
}
