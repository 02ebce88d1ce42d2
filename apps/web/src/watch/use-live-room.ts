import type { ClientConfig, StreamState } from '@showfloor/protocol';
import { useEffect, useReducer, useRef, useState } from 'react';
import { randomId } from '../api/random-id.ts';
import { CHAT_OUTGOING_MAX, type ChatList, chatAfter, EMPTY_CHAT } from '../chat/chat-list.ts';
import { type LinkState, LiveConnection } from '../realtime/live-connection.ts';
import type { ShopEvent } from '../shop/live-shop.ts';

export type LiveRoom = {
  readonly link: LinkState;
  readonly chat: ChatList;
  readonly stream: StreamState;
  /** Grows each time the realtime plane says that the show is on air: a server that crashed never said it was not. */
  readonly onAirCount: number;
  /** Null until the realtime plane told. */
  readonly viewers: { readonly count: number; readonly isApproximate: boolean } | null;
  /** Milliseconds (page clock) until which the chat asked us to wait; 0: not. */
  readonly quietUntilMs: number;
  /** False: too many unsent messages already. */
  readonly send: (text: string) => boolean;
  readonly resend: (clientId: string, text: string) => void;
  readonly discard: (clientId: string) => void;
};

const RATE_LIMIT_WAIT_MS = 2_000;

/** One show's room on the realtime plane, for as long as the page is open. `onShop` may change between renders. */
export function useLiveRoom(
  config: ClientConfig | undefined,
  playbackId: string,
  onShop: (event: ShopEvent) => void,
): LiveRoom {
  const [chat, dispatch] = useReducer(chatAfter, EMPTY_CHAT);
  const [link, setLink] = useState<LinkState>('connecting');
  const [stream, setStream] = useState<StreamState>('unknown');
  const [onAirCount, countOnAir] = useReducer((count: number) => count + 1, 0);
  const [viewers, setViewers] = useState<LiveRoom['viewers']>(null);
  const [quietUntilMs, setQuietUntilMs] = useState(0);
  const connection = useRef<LiveConnection | null>(null);
  const latest = useRef({ onShop, cursor: chat.cursor });
  latest.current = { onShop, cursor: chat.cursor };
  const baseUrl = config?.realtime.baseUrl;
  const path = config?.realtime.path;

  useEffect(() => {
    if (baseUrl === undefined || path === undefined) return;
    const room = new LiveConnection({ baseUrl, path }, playbackId, {
      onLink: setLink,
      onChat: dispatch,
      onShop: (event) => latest.current.onShop(event),
      onStream: (state) => {
        setStream(state);
        if (state === 'live') countOnAir();
      },
      onViewers: (count, isApproximate) => setViewers({ count, isApproximate }),
      chatCursor: () => latest.current.cursor,
    });
    connection.current = room;
    return () => {
      connection.current = null;
      room.close();
    };
  }, [baseUrl, path, playbackId]);

  const post = (clientId: string, text: string): void => {
    dispatch({ type: 'sending', clientId, text });
    const sending = connection.current?.send(clientId, text);
    if (sending === undefined) {
      dispatch({ type: 'failed', clientId, problem: 'offline' });
      return;
    }
    void sending.then(({ problem, retryAfterMs }) => {
      dispatch(problem === null ? { type: 'accepted', clientId } : { type: 'failed', clientId, problem });
      if (problem === 'rate_limited') setQuietUntilMs(performance.now() + (retryAfterMs ?? RATE_LIMIT_WAIT_MS));
    });
  };

  return {
    link,
    chat,
    stream,
    onAirCount,
    viewers,
    quietUntilMs,
    send: (text) => {
      if (chat.outgoing.length >= CHAT_OUTGOING_MAX) return false;
      post(randomId(), text);
      return true;
    },
    resend: post,
    discard: (clientId) => dispatch({ type: 'discarded', clientId }),
  };
}
