import { ActionIcon, Textarea, TextInput, VisuallyHidden } from '@mantine/core';
import { type FormEvent, type KeyboardEvent, type ReactElement, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { session } from '../api/session.ts';
import { useSessionUser } from '../api/use-session-user.ts';
import { Icon } from '../design/icons.tsx';
import type { LiveRoom } from '../watch/use-live-room.ts';
import { GUEST_NAME_CHARS_MAX, guestName, renameGuest } from './guest-name.ts';
import { MESSAGE_CHARS_MAX, MESSAGE_CHARS_WARN } from './message-length.ts';

/** Writing: the name one goes by, the message, how much room is left. */
export function ChatComposer({ room }: { readonly room: LiveRoom }): ReactElement {
  const { t } = useTranslation();
  const counterId = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const waitSeconds = useSecondsUntil(room.quietUntilMs);
  const length = text.length;
  const canSend = text.trim() !== '' && length <= MESSAGE_CHARS_MAX && waitSeconds === 0;

  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    if (!canSend || !room.send(text.trim())) return;
    setText('');
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      submit();
    }
  };

  return (
    <form className="sf-composer" onSubmit={submit} data-testid="chat-composer">
      <NameLine />
      <div className="sf-composer__row">
        <Textarea
          ref={field}
          className="sf-composer__input"
          aria-label={t('chat.input')}
          aria-describedby={counterId}
          placeholder={t('chat.placeholder')}
          autosize={false}
          rows={1}
          resize="none"
          maxLength={MESSAGE_CHARS_MAX}
          value={text}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
          onKeyDown={onKeyDown}
          data-testid="chat-input"
        />
        <ActionIcon
          type="submit"
          size={44}
          radius="xl"
          aria-label={t('chat.send')}
          disabled={!canSend}
          data-testid="chat-send"
        >
          <Icon name="send" />
        </ActionIcon>
      </div>
      <div className="sf-composer__foot">
        <span role="status">{waitSeconds > 0 && t('chat.slowDown', { seconds: waitSeconds })}</span>
        <span
          className={
            length >= MESSAGE_CHARS_WARN ? 'sf-composer__counter sf-composer__counter--near' : 'sf-composer__counter'
          }
          aria-hidden="true"
          data-testid="chat-counter"
        >
          {length}/{MESSAGE_CHARS_MAX}
        </span>
        <VisuallyHidden id={counterId}>{t('chat.counter', { count: length, max: MESSAGE_CHARS_MAX })}</VisuallyHidden>
      </div>
    </form>
  );
}

/** Who one is in the chat. The made-up name can be changed until it is first used. */
function NameLine(): ReactElement {
  const { t } = useTranslation();
  const user = useSessionUser();
  const [isEditing, setEditing] = useState(false);
  const [draft, setDraft] = useState('');
  const canRename = user === null && !session.hadSession;

  if (isEditing && canRename) {
    const save = (): void => {
      renameGuest(draft);
      setEditing(false);
    };
    return (
      <div className="sf-composer__name">
        <TextInput
          size="sm"
          aria-label={t('chat.name')}
          autoFocus
          maxLength={GUEST_NAME_CHARS_MAX}
          value={draft}
          onChange={({ currentTarget }) => setDraft(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') {
              event.preventDefault();
              save();
            } else if (event.key === 'Escape') setEditing(false);
          }}
        />
        <button type="button" className="sf-composer__link" onClick={save}>
          {t('chat.nameSave')}
        </button>
      </div>
    );
  }
  const name = user?.displayName ?? guestName();
  return (
    <div className="sf-composer__name">
      <span data-testid="chat-name">{t('chat.as', { name })}</span>
      {canRename && (
        <button
          type="button"
          className="sf-composer__link"
          onClick={() => {
            setDraft(name);
            setEditing(true);
          }}
        >
          {t('chat.rename')}
        </button>
      )}
    </div>
  );
}

/** Whole seconds left until `untilMs` (page clock), counting down to 0. */
function useSecondsUntil(untilMs: number): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const look = (): number => Math.max(0, Math.ceil((untilMs - performance.now()) / 1_000));
    setSeconds(look());
    if (look() === 0) return;
    const timer = setInterval(() => {
      setSeconds(look());
      if (look() === 0) clearInterval(timer);
    }, 250);
    return () => clearInterval(timer);
  }, [untilMs]);
  return seconds;
}
