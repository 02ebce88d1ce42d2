import { Tabs, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { FeaturedProduct } from '@showfloor/protocol';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactElement, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useClientConfig } from '../api/client-config.ts';
import { ChatPanel } from '../chat/chat-panel.tsx';
import { EmptyState } from '../design/notice.tsx';
import type { HoldPlace } from '../shop/hold-control.tsx';
import { PinnedCard } from '../shop/pinned-card.tsx';
import { ProductShelf } from '../shop/product-shelf.tsx';
import { formatMoment } from '../text/moments.ts';
import { isShowOver, slateOf } from './player-slate.ts';
import { ShowHeading } from './show-heading.tsx';
import { useLivePlayer } from './use-live-player.ts';
import { type LiveRoom, useLiveRoom } from './use-live-room.ts';
import { type LiveShow, useShow } from './use-show.ts';
import { useVisiblePin } from './use-visible-pin.ts';
import { VideoPlayer } from './video-player.tsx';
import './watch-page.css';

const route = getRouteApi('/live/$playbackId');
/** Viewers told at the same instant ask for the picture over this time. */
const ON_AIR_SPREAD_MS = 500;

/** Watch, chat and buy. Each of the three works while the planes of the others are down. */
export function WatchPage(): ReactElement {
  const { playbackId } = route.useParams();
  return <Show key={playbackId} playbackId={playbackId} />;
}

function Show({ playbackId }: { readonly playbackId: string }): ReactElement {
  const { t } = useTranslation();
  const config = useClientConfig();
  const shopHandler = useRef<LiveShow['onShop']>(() => undefined);
  const room = useLiveRoom(config, playbackId, (event) => shopHandler.current(event));
  const show = useShow(playbackId, room.link);
  shopHandler.current = show.onShop;

  const video = useRef<HTMLVideoElement>(null);
  const stream = config === undefined ? null : `${config.video.baseUrl}/live/${playbackId}`;
  const status = show.detail?.show.status ?? null;
  const isInterrupted = room.stream === 'interrupted' || (room.stream === 'unknown' && status === 'interrupted');
  const isOver = show.isMissing || isShowOver(room.stream, status);
  const player = useLivePlayer(
    video,
    isOver || stream === null ? null : { flvUrl: `${stream}.flv`, hlsUrl: `${stream}.m3u8` },
    isInterrupted,
  );
  useReactionToStream(room, show, player.retryNow);
  const pin = useVisiblePin(show.detail, show.unpinnedAtMs, player.playhead);

  const title = show.detail?.show.title ?? t('watch.titleUnknown');
  useEffect(() => {
    document.title = `${title} · ${t('brand.name')}`;
  }, [title, t]);

  if (show.isMissing) return <MissingShow />;
  const slate = slateOf({ player: player.state, stream: room.stream, status });
  const startsAtMs = show.detail?.show.scheduledAtMs ?? null;
  return (
    <main id="content" className="sf-watch" data-testid="watch-page">
      <div className="sf-watch__video">
        <VideoPlayer
          video={video}
          player={player}
          slate={slate}
          title={title}
          posterUrl={show.detail?.show.posterUrl ?? null}
          startsAt={startsAtMs === null ? null : formatMoment(startsAtMs)}
        />
      </div>
      <div className="sf-watch__heading">
        <ShowHeading
          show={show.detail?.show}
          isLive={slate === null || room.stream === 'live'}
          viewers={room.viewers}
        />
      </div>
      <Panels
        room={room}
        show={show}
        pin={pin}
        place={{ playbackId, isShowOver: isOver, shopAnsweredAtMs: show.answeredAtMs }}
      />
    </main>
  );
}

type PanelsProps = {
  readonly room: LiveRoom;
  readonly show: LiveShow;
  readonly pin: FeaturedProduct | null;
  readonly place: HoldPlace;
};

/** Side by side where there is room, tabs on a phone. */
function Panels({ room, show, pin, place }: PanelsProps): ReactElement {
  const { t } = useTranslation();
  const isWide = useMediaQuery('(min-width: 62em)', true, { getInitialValueInEffect: false });
  const shelf = <ProductShelf show={show} place={place} />;
  const chat = <ChatPanel room={room} />;
  const pinned = (
    <div className="sf-watch__pinned">
      <VisuallyHidden role="status">
        {pin !== null && !place.isShowOver && t('shop.featuredNamed', { title: pin.product.title })}
      </VisuallyHidden>
      {pin !== null && <PinnedCard pin={pin} place={place} />}
    </div>
  );
  if (isWide) {
    return (
      <>
        <aside className="sf-watch__side" aria-label={t('watch.side')}>
          {pinned}
          <div className="sf-watch__chat sf-card">{chat}</div>
        </aside>
        <div className="sf-watch__shelf">
          <h2 className="sf-watch__shelf-title">{t('shop.list')}</h2>
          {shelf}
        </div>
      </>
    );
  }
  return (
    <>
      {pinned}
      <Tabs className="sf-watch__tabs" defaultValue="chat" keepMounted>
        <Tabs.List grow>
          <Tabs.Tab value="chat">{t('watch.chat')}</Tabs.Tab>
          <Tabs.Tab value="products">
            {show.detail === undefined
              ? t('watch.products')
              : t('watch.productsCount', { count: show.detail.products.length })}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="chat" className="sf-watch__panel">
          {chat}
        </Tabs.Panel>
        <Tabs.Panel value="products" className="sf-watch__panel sf-watch__panel--scroll">
          {shelf}
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

/** On air again: fetch the picture without waiting out the backoff. Any change: read the show's new status. */
function useReactionToStream(room: LiveRoom, show: LiveShow, retryNow: () => void): void {
  const before = useRef(room.stream);
  const reload = useRef(show.reload);
  reload.current = show.reload;
  useEffect(() => {
    if (before.current === room.stream) return;
    before.current = room.stream;
    reload.current();
  }, [room.stream]);
  useEffect(() => {
    if (room.onAirCount === 0) return;
    const timer = setTimeout(retryNow, Math.random() * ON_AIR_SPREAD_MS);
    return () => clearTimeout(timer);
  }, [room.onAirCount, retryNow]);
}

function MissingShow(): ReactElement {
  const { t } = useTranslation();
  return (
    <main id="content" className="sf-page">
      <EmptyState title={t('watch.notFound')} text={t('watch.notFoundText')}>
        <Link to="/">{t('watch.toList')}</Link>
      </EmptyState>
    </main>
  );
}
