import type { ShowDetail } from '@showfloor/protocol';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { getShow } from '../api/shop-api.ts';
import type { LinkState } from '../realtime/live-connection.ts';
import { type ShopEvent, ShopEventLog, shopAfter } from '../shop/live-shop.ts';
import { showAnswer } from './show-answer.ts';

/** With the realtime plane telling every change, reading again is only a safety net … */
const POLL_ONLINE_MS = 30_000;
/** … without it, reading is how pins and stock arrive. */
const POLL_OFFLINE_MS = 5_000;

export type LiveShow = {
  readonly detail: ShowDetail | undefined;
  /** The shop knows no such show. */
  readonly isMissing: boolean;
  /** The shop did not answer the last time. */
  readonly isDown: boolean;
  /** Page clock of the shop's last answer, not of events; 0: none yet. */
  readonly answeredAtMs: number;
  /** Wall clock of the last unpin; 0: none seen. */
  readonly unpinnedAtMs: number;
  readonly onShop: (event: ShopEvent) => void;
  readonly reload: () => void;
};

/** The show with its products and pin, kept fresh by events and by reading. */
export function useShow(playbackId: string, link: LinkState): LiveShow {
  const queryClient = useQueryClient();
  const [log] = useState(() => new ShopEventLog());
  const [answeredAtMs, setAnsweredAtMs] = useState(0);
  const [unpinnedAtMs, setUnpinnedAtMs] = useState(0);
  const query = useQuery({
    queryKey: ['show', playbackId],
    queryFn: async ({ signal }) => {
      const askedAtMs = performance.now();
      const detail = await getShow(playbackId, signal);
      setAnsweredAtMs(performance.now());
      return log.catchUp(detail, askedAtMs);
    },
    refetchInterval: ({ state }) => {
      if (showAnswer(state.error, state.data !== undefined).isMissing) return false;
      return (
        (link === 'online' && state.error === null ? POLL_ONLINE_MS : POLL_OFFLINE_MS) * (0.9 + Math.random() * 0.2)
      );
    },
    refetchIntervalInBackground: false,
    retry: false,
  });

  const onShop = useCallback(
    (event: ShopEvent) => {
      if (!log.note(event, performance.now())) return;
      if (event.type === 'unpinned') setUnpinnedAtMs(event.atMs);
      queryClient.setQueryData<ShowDetail>(['show', playbackId], (detail) => detail && shopAfter(detail, event));
    },
    [log, playbackId, queryClient],
  );

  const { refetch } = query;
  useEffect(() => {
    // Whatever happened while the line was down was not told.
    if (link === 'online') void refetch();
  }, [link, refetch]);

  return {
    detail: query.data,
    ...showAnswer(query.error, query.data !== undefined),
    answeredAtMs,
    unpinnedAtMs,
    onShop,
    reload: () => void refetch(),
  };
}
