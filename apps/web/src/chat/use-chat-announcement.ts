import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ChatList } from './chat-list.ts';

/** At most one announcement in this time, however fast the chat is. */
const ANNOUNCE_PERIOD_MS = 5_000;

/** What a screen reader is told of new messages: a count and the last one, politely, and only while it is wanted. */
export function useChatAnnouncement(chat: ChatList): { text: string; isOn: boolean; toggle: () => void } {
  const { t } = useTranslation();
  const [isOn, setOn] = useState(true);
  const [text, setText] = useState('');
  const latest = useRef(chat);
  latest.current = chat;
  const told = useRef(chat.receivedTotal);

  useEffect(() => {
    if (!isOn) return;
    told.current = latest.current.receivedTotal;
    const timer = setInterval(() => {
      const { receivedTotal, entries } = latest.current;
      const count = receivedTotal - told.current;
      told.current = receivedTotal;
      const last = entries.findLast((entry) => entry.kind === 'message');
      if (count <= 0 || last === undefined) return;
      setText(t('chat.announcement', { count, name: last.message.username, text: last.message.message }));
    }, ANNOUNCE_PERIOD_MS);
    return () => clearInterval(timer);
  }, [isOn, t]);

  return { text: isOn ? text : '', isOn, toggle: () => setOn((on) => !on) };
}
