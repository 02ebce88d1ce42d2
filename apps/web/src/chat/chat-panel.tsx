import { Button, VisuallyHidden } from '@mantine/core';
import { memo, type ReactElement, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../design/icons.tsx';
import { formatClock } from '../text/moments.ts';
import type { LiveRoom } from '../watch/use-live-room.ts';
import { ChatComposer } from './chat-composer.tsx';
import type { ChatEntry, Outgoing } from './chat-list.ts';
import { useChatAnnouncement } from './use-chat-announcement.ts';
import './chat-panel.css';

/** Closer to the end than this counts as reading along. */
const FOLLOW_PX = 64;

/** The room's talk: what was said, what one is saying, and how the line is. */
export function ChatPanel({ room }: { readonly room: LiveRoom }): ReactElement {
  const { t } = useTranslation();
  const { chat, link } = room;
  const announcement = useChatAnnouncement(chat);
  const scroll = useFollowedScroll(chat.entries.at(-1)?.key ?? '', chat.outgoing.length);

  return (
    <section className="sf-chat" aria-label={t('chat.title')} data-testid="chat" data-link={link}>
      <div className="sf-chat__head">
        <h2 className="sf-chat__title">{t('chat.title')}</h2>
        <span className={`sf-chat__link sf-chat__link--${link}`} role="status" data-testid="chat-link">
          {t(`chat.${link}`)}
        </span>
        <button
          type="button"
          className="sf-chat__announce"
          aria-pressed={announcement.isOn}
          onClick={announcement.toggle}
        >
          {announcement.isOn ? t('chat.announceOn') : t('chat.announceOff')}
        </button>
      </div>
      <VisuallyHidden aria-live="polite" data-testid="chat-announcement">
        {announcement.text}
      </VisuallyHidden>
      <div className="sf-chat__body">
        <div
          className="sf-chat__scroll"
          ref={scroll.region}
          onScroll={scroll.onScroll}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
          tabIndex={0}
          aria-label={t('chat.messages')}
          role="log"
          aria-live="off"
        >
          {chat.entries.length === 0 && chat.outgoing.length === 0 && (
            <p className="sf-chat__empty sf-muted">{chat.cursor === null ? t('chat.waiting') : t('chat.empty')}</p>
          )}
          <ol className="sf-chat__list" data-testid="chat-list">
            {chat.entries.map((entry) => (
              <Entry key={entry.key} entry={entry} />
            ))}
            {chat.outgoing.map((message) => (
              <Own key={message.clientId} message={message} room={room} />
            ))}
          </ol>
        </div>
        {scroll.hasNews && (
          <Button
            className="sf-chat__news"
            size="compact-md"
            radius="xl"
            leftSection={<Icon name="arrowDown" size={16} />}
            onClick={scroll.toEnd}
          >
            {t('chat.newMessages')}
          </Button>
        )}
      </div>
      <ChatComposer room={room} />
    </section>
  );
}

/** Text of others is written as text nodes only. */
const Entry = memo(function Entry({ entry }: { readonly entry: ChatEntry }): ReactElement {
  const { t } = useTranslation();
  if (entry.kind === 'gap') {
    return (
      <li className="sf-chat__gap" data-testid="chat-gap">
        {t('chat.gap')}
      </li>
    );
  }
  const { message } = entry;
  const title = message.role === 'seller' || message.role === 'moderator' ? t(`chat.${message.role}`) : null;
  return (
    <li className="sf-message" data-testid="chat-message" data-message-id={message.id} data-seq={message.seq}>
      <span className="sf-message__name" style={{ color: nameColor(message.userId) }}>
        {message.username}
      </span>
      {title !== null && <span className="sf-message__role">{title}</span>}
      <time className="sf-message__time" dateTime={new Date(message.timestampMs).toISOString()}>
        {formatClock(message.timestampMs)}
      </time>
      <span className="sf-message__text">{message.message}</span>
    </li>
  );
});

function Own({ message, room }: { readonly message: Outgoing; readonly room: LiveRoom }): ReactElement {
  const { t } = useTranslation();
  const { clientId, text, state, problem } = message;
  return (
    <li className={`sf-message sf-message--${state}`} data-testid="chat-own" data-state={state}>
      <span className="sf-message__text">{text}</span>
      {state === 'failed' ? (
        <span className="sf-message__failed" role="alert">
          {t(`chat.failed_${problem ?? 'refused'}`)}
          <button type="button" onClick={() => room.resend(clientId, text)}>
            {t('chat.retry')}
          </button>
          <button type="button" onClick={() => room.discard(clientId)}>
            {t('chat.discard')}
          </button>
        </span>
      ) : (
        <span className="sf-message__state">{t('chat.pending')}</span>
      )}
    </li>
  );
}

/** A steady colour per person, picked from six that stand out on light and dark. */
function nameColor(userId: string): string {
  let sum = 0;
  for (const character of userId) sum = (sum * 31 + character.charCodeAt(0)) % 997;
  return `var(--sf-name-${sum % 6})`;
}

/** Follows the end of the list unless the reader went up; then tells that there is news. */
function useFollowedScroll(lastKey: string, outgoingCount: number) {
  const region = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);
  const countBefore = useRef(0);
  const [hasNews, setNews] = useState(false);

  const toEnd = (): void => {
    const element = region.current;
    if (element === null) return;
    isFollowing.current = true;
    element.scrollTop = element.scrollHeight;
    setNews(false);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new last message or own message is what moves the list
  useLayoutEffect(() => {
    const isSending = outgoingCount > countBefore.current;
    countBefore.current = outgoingCount;
    if (isFollowing.current || isSending) toEnd();
    else if (lastKey !== '') setNews(true);
  }, [lastKey, outgoingCount]);

  useEffect(() => {
    // The pinned card comes and goes above the list, a phone's keyboard below it.
    const element = region.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      if (isFollowing.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const onScroll = (): void => {
    const element = region.current;
    if (element === null) return;
    isFollowing.current = element.scrollHeight - element.scrollTop - element.clientHeight < FOLLOW_PX;
    if (isFollowing.current) setNews(false);
  };
  return { region, hasNews, toEnd, onScroll };
}
